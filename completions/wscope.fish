# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wscope_global_optspecs
    string join \n generate= h/help V/version
end

function __fish_wscope_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wscope_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wscope_using_subcommand
    set -l cmd (__fish_wscope_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wscope -n "__fish_wscope_needs_command" -l generate -d 'Write generated files: man DIR, completions DIR, readme-flags' -r
complete -c wscope -n "__fish_wscope_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_needs_command" -s V -l version -d 'Print version'
complete -c wscope -n "__fish_wscope_needs_command" -f -a "connect" -d 'Talk to an endpoint: full screen on a terminal, in lines with --line or in a pipe'
complete -c wscope -n "__fish_wscope_needs_command" -f -a "listen" -d 'Print what arrives: from URLs, or on a port that others connect to'
complete -c wscope -n "__fish_wscope_needs_command" -f -a "serve" -d 'Run a server to test clients against'
complete -c wscope -n "__fish_wscope_needs_command" -f -a "test" -d 'Play transcripts against a server and check its answers'
complete -c wscope -n "__fish_wscope_needs_command" -f -a "bench" -d 'Load a server with many connections, and say how it bore that'
complete -c wscope -n "__fish_wscope_needs_command" -f -a "ping" -d 'Is it up, how long does each step take, when does the certificate expire'
complete -c wscope -n "__fish_wscope_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s H -l header -d 'Send this header with the handshake; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s s -l subprotocol -d 'Offer these subprotocols, in order of preference' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s o -l origin -d 'Send this Origin' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l host -d 'Send this Host instead of the one in the URL' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l user-agent -d 'Send this User-Agent' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l auth -d 'Authenticate with user name and password (Basic)' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l bearer -d 'Authenticate with a token (Bearer)' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l cookie -d 'Send cookies: NAME=VALUE, or the name of a Netscape cookie file; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-redirects -d 'Follow at most this many redirects' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l connect-timeout -d 'Give up when the handshake is not done after this long' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-time -d 'End everything after this long, with exit code 7' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l wait-for-server -d 'Retry the first connect for this long: for a server that is still starting' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l resolve -d 'Use this address for HOST:PORT instead of asking DNS; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l unix-socket -d 'Connect through this Unix socket, whatever the URL\'s host is' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l protocol -d 'Ask for this version of the WebSocket protocol (Sec-WebSocket-Version)' -r -f -a "8\t''
13\t''"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l ca -d 'Trust the certificates in this file instead of the system\'s; may be repeated' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l pin -d 'Trust the server with this key, whatever else its certificate says; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l cert -d 'Present this certificate to the server (PEM)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l key -d 'The private key of --cert, where it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l passphrase -d 'What the key is encrypted with' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l sni -d 'Ask the server for this name; the certificate is still checked for the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l proxy -d 'Go through this proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-message-size -d 'Refuse messages that are larger than this (close code 1009)' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l heartbeat -d 'Ping the peer and notice when it is gone' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l heartbeat-message -d 'Send this text in place of pings' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l heartbeat-reply -d 'The text that answers --heartbeat-message' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s x -l execute -d 'Send this message when the connection is open; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l execute-file -d 'Send every line of this file like --execute' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l on-open -d 'Like --execute, but does not end the session: `on_open` of an endpoint in the config file' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s i -l input -d 'How standard input is cut into messages (default: lines)' -r -f -a "lines\t''
json\t''
ndjson\t''
null\t''
raw\t''"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s b -l binary -d 'Send input as binary messages, written as hex, base64 or raw bytes' -r -f -a "hex\t''
base64\t''
raw\t''"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s n -l count -d 'End after this many messages received; fewer is exit code 4' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l until -d 'End when a message matches; none is exit code 4' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l duration -d 'Close after this long' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l expect-close -d 'Fail with exit code 4 unless the connection closes with this code' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l reply -d 'Answer messages that match with a text; may be repeated, the first that matches answers' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l max-retries -d 'Give up after this many retries in a row' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l backoff -d 'How the time between retries grows' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s w -l wait -d 'Wait this long for a first reply after the input has ended (-1: for ever)' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l theme -d 'How it looks; t goes through them' -r -f -a "auto\t''
dark\t''
light\t''
colour-blind\t''
mono\t''"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l output -d 'How messages are printed' -r -f -a "pretty\t'a line for each message, for people'
raw\t'messages as they came, one a line'
hex\t'a hex dump of each message'
ndjson\t'every event as one JSON object on a line (--json)'"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l only -d 'Show only these kinds: text, binary, ping, pong, close' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l filter -d 'Show only messages that match' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l exclude -d 'Do not show messages that match' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l color -d 'When to use colours' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l record -d 'Write what happens to this file, flushed per message' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l secret -d 'Never show this value, wherever it comes up: *** stands in its place; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l config -d 'Read this config file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s 4 -l ipv4 -d 'Connect over IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s 6 -l ipv6 -d 'Connect over IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s k -l insecure -d 'Do not check the server\'s certificate'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-proxy -d 'Connect directly, whatever the environment says'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-pong -d 'Do not answer pings: see what the peer does then'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l compress -d 'Compress messages where the peer does too (permessage-deflate)'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-compress -d 'Neither offer nor accept compression'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l slash -d 'Obey lines that begin with a slash (/ping, /close ...) from a pipe and in --execute too'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l echo -d 'Return every message as it came'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s r -l reconnect -d 'Connect again when the connection is lost'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l stay -d 'Keep the session open after the --execute messages'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l line -d 'Talk in lines, not in the full screen'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l plain -d 'Lines without colours and without editing'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l tui -d 'Open the full screen, whatever else would be shown'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l ascii -d 'Draw with ASCII signs only'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l mouse -d 'Let the mouse scroll and choose; the terminal\'s own selection then needs Shift'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l json -d 'Print every event as a line of JSON (--output ndjson)'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l parse -d 'Add the parsed payload to JSON messages; implies --json'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s P -l show-ping-pong -d 'Show pings and pongs, with round trips'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s F -l frames -d 'Show every frame as it was on the wire'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l timestamps -d 'Begin lines with the time'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s v -l verbose -d 'Show the opening handshake, both ways'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l force -d 'Overwrite the file of --record'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -l no-config -d 'Read no config file'
complete -c wscope -n "__fish_wscope_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s H -l header -d 'Send this header with the handshake; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s s -l subprotocol -d 'Offer these subprotocols, in order of preference' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s o -l origin -d 'Send this Origin' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l host -d 'Send this Host instead of the one in the URL' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l user-agent -d 'Send this User-Agent' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l auth -d 'Authenticate with user name and password (Basic)' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l bearer -d 'Authenticate with a token (Bearer)' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l cookie -d 'Send cookies: NAME=VALUE, or the name of a Netscape cookie file; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-redirects -d 'Follow at most this many redirects' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l connect-timeout -d 'Give up when the handshake is not done after this long' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-time -d 'End everything after this long, with exit code 7' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l wait-for-server -d 'Retry the first connect for this long: for a server that is still starting' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l resolve -d 'Use this address for HOST:PORT instead of asking DNS; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l unix-socket -d 'Connect through this Unix socket, whatever the URL\'s host is' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l protocol -d 'Ask for this version of the WebSocket protocol (Sec-WebSocket-Version)' -r -f -a "8\t''
13\t''"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l ca -d 'Trust the certificates in this file instead of the system\'s; may be repeated' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l pin -d 'Trust the server with this key, whatever else its certificate says; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l cert -d 'Present this certificate to the server (PEM)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l key -d 'The private key of --cert, where it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l passphrase -d 'What the key is encrypted with' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l sni -d 'Ask the server for this name; the certificate is still checked for the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l proxy -d 'Go through this proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-message-size -d 'Refuse messages that are larger than this (close code 1009)' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l heartbeat -d 'Ping the peer and notice when it is gone' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l heartbeat-message -d 'Send this text in place of pings' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l heartbeat-reply -d 'The text that answers --heartbeat-message' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s x -l execute -d 'Send this message when the connection is open; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l execute-file -d 'Send every line of this file like --execute' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l on-open -d 'Like --execute, but does not end the session: `on_open` of an endpoint in the config file' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s i -l input -d 'How standard input is cut into messages (default: lines)' -r -f -a "lines\t''
json\t''
ndjson\t''
null\t''
raw\t''"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s b -l binary -d 'Send input as binary messages, written as hex, base64 or raw bytes' -r -f -a "hex\t''
base64\t''
raw\t''"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s n -l count -d 'End after this many messages received; fewer is exit code 4' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l until -d 'End when a message matches; none is exit code 4' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l duration -d 'Close after this long' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l expect-close -d 'Fail with exit code 4 unless the connection closes with this code' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l reply -d 'Answer messages that match with a text; may be repeated, the first that matches answers' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l max-retries -d 'Give up after this many retries in a row' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l backoff -d 'How the time between retries grows' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l theme -d 'How it looks; t goes through them' -r -f -a "auto\t''
dark\t''
light\t''
colour-blind\t''
mono\t''"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l allow-origin -d 'Let pages of this origin connect; may be repeated, * allows all' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l output -d 'How messages are printed' -r -f -a "pretty\t'a line for each message, for people'
raw\t'messages as they came, one a line'
hex\t'a hex dump of each message'
ndjson\t'every event as one JSON object on a line (--json)'"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l only -d 'Show only these kinds: text, binary, ping, pong, close' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l filter -d 'Show only messages that match' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l exclude -d 'Do not show messages that match' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l color -d 'When to use colours' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l record -d 'Write what happens to this file, flushed per message' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l secret -d 'Never show this value, wherever it comes up: *** stands in its place; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l config -d 'Read this config file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s 4 -l ipv4 -d 'Connect over IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s 6 -l ipv6 -d 'Connect over IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s k -l insecure -d 'Do not check the server\'s certificate'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-proxy -d 'Connect directly, whatever the environment says'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-pong -d 'Do not answer pings: see what the peer does then'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l compress -d 'Compress messages where the peer does too (permessage-deflate)'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-compress -d 'Neither offer nor accept compression'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l slash -d 'Obey lines that begin with a slash (/ping, /close ...) from a pipe and in --execute too'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l echo -d 'Return every message as it came'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s r -l reconnect -d 'Connect again when the connection is lost'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l stdin -d 'Read standard input too, and send it'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l tui -d 'Open the full screen, whatever else would be shown'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l ascii -d 'Draw with ASCII signs only'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l mouse -d 'Let the mouse scroll and choose; the terminal\'s own selection then needs Shift'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l json -d 'Print every event as a line of JSON (--output ndjson)'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l parse -d 'Add the parsed payload to JSON messages; implies --json'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s P -l show-ping-pong -d 'Show pings and pongs, with round trips'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s F -l frames -d 'Show every frame as it was on the wire'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l timestamps -d 'Begin lines with the time'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s v -l verbose -d 'Show the opening handshake, both ways'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l force -d 'Overwrite the file of --record'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -l no-config -d 'Read no config file'
complete -c wscope -n "__fish_wscope_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l mode -d 'What a message leads to' -r -f -a "echo\t'return every message as it came'
broadcast\t'send every message to everyone on the same path (--exclude-sender: but its sender)'
rooms\t'rooms, topics, presence and history, in JSON (see docs/serve.md)'
sink\t'read every message and say nothing'
flood\t'send numbered messages to everyone, as flood=RATE says (flood=1000/s; 10/s unless told)'"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l script -d 'Play the server\'s side of a transcript to every client' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l echo-prefix -d 'Put this before every echo' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l history -d 'Keep this many messages of each room, numbered, for those who join' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l path -d 'Serve only this path; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -s s -l subprotocol -d 'Choose these subprotocols when a client offers them, in order of preference' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l queue-bytes -d 'Let this much wait for a client that does not read what others send' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l overflow -d 'What to do about a client whose queue is full' -r -f -a "close\t''
drop-oldest\t''
drop-newest\t''
block\t''"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l rate-limit -d 'Take this many messages a second from each client, and a second\'s worth at once' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l on-limit -d 'What to do about messages beyond --rate-limit' -r -f -a "drop\t''
delay\t''
close\t''"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l handshake-limit -d 'Answer more requests than this from one address with 429' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l heartbeat-kind -d 'Send heartbeats as pings, or as the text ping that the text pong answers' -r -f -a "protocol\t''
text\t''"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l max-connections -d 'Answer further clients with 503' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l save-dir -d 'Store files that clients send in this folder' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l save-types -d 'Store only files of these types, told by their content: png, application/pdf, image/*' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l fault -d 'Let this go wrong: close=4002@3msg, refuse=503:conn=1-3, delay=200ms; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l fault-seed -d 'Draw the same faults each time, from this number' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l exec -d 'Run this command with WSCOPE_URL set, and end with its exit code' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l expect -d 'Exit with 4 unless this holds at the end: connections>=3; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l duration -d 'End after this time' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l drain -d 'Wait this long for closing handshakes at the end' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l tls-cert -d 'Speak TLS with this certificate (PEM, with those that lead to the root)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l tls-key -d 'The private key of --tls-cert, where it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l allow-origin -d 'Let pages of this origin connect; may be repeated, * allows all' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l token -d 'Let those in who show this token' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l jwt-secret-file -d 'Let those in who show a JSON Web Token that was signed with this secret (HS256)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l user -d 'Let this user log in with POST /api/login; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l ban -d 'Keep this user out (close code 4003); may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l auth-first-message -d 'Let clients that show nothing send a token in their first message, within this time' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l auth-reject -d 'Tell who may not come in by a close code after 101 (4001, 4002, 4003), or by an HTTP status' -r -f -a "close\t''
http\t''"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l max-message-size -d 'Refuse messages that are larger than this (close code 1009)' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l heartbeat -d 'Ping the peer and notice when it is gone' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l heartbeat-message -d 'Send this text in place of pings' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l heartbeat-reply -d 'The text that answers --heartbeat-message' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l theme -d 'How it looks; t goes through them' -r -f -a "auto\t''
dark\t''
light\t''
colour-blind\t''
mono\t''"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l output -d 'How messages are printed' -r -f -a "pretty\t'a line for each message, for people'
raw\t'messages as they came, one a line'
hex\t'a hex dump of each message'
ndjson\t'every event as one JSON object on a line (--json)'"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l only -d 'Show only these kinds: text, binary, ping, pong, close' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l filter -d 'Show only messages that match' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l exclude -d 'Do not show messages that match' -r
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l color -d 'When to use colours' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l config -d 'Read this config file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l exclude-sender -d 'Do not send a broadcast back to its sender'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l include-sender -d 'Let those who talk in rooms hear themselves'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l list-faults -d 'Tell the faults that there are, and end'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l tls-self-signed -d 'Speak TLS with a certificate made for this run, for localhost'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l basic -d 'Let users in with Basic authentication too'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l no-pong -d 'Do not answer pings: see what the peer does then'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l compress -d 'Compress messages where the peer does too (permessage-deflate)'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l no-compress -d 'Neither offer nor accept compression'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l tui -d 'Show connections, rooms, traffic, queues, faults and the log live, on the full screen'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l ascii -d 'Draw with ASCII signs only'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l mouse -d 'Let the mouse scroll and choose; the terminal\'s own selection then needs Shift'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l json -d 'Print every event as a line of JSON (--output ndjson)'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l parse -d 'Add the parsed payload to JSON messages; implies --json'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -s P -l show-ping-pong -d 'Show pings and pongs, with round trips'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -s F -l frames -d 'Show every frame as it was on the wire'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l timestamps -d 'Begin lines with the time'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -s v -l verbose -d 'Show the opening handshake, both ways'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -l no-config -d 'Read no config file'
complete -c wscope -n "__fish_wscope_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l url -d 'Where `connect {{url}}` leads, and transcripts that have no connect; demo is an echo server inside wscope' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l var -d 'Give {{NAME}} a value; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l var-file -d 'Read values from a file with NAME=VALUE on each line; may be repeated' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand test" -l timeout -d 'How long an expectation waits that has no within' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l jobs -d 'Play so many files at once' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l retry -d 'Play a file that failed again, up to N times' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l only -d 'Play only files that have NAME in their path' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l report -d 'Write a report too; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l spawn -d 'Start the server with this command, wait until it listens at --url, stop it at the end' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l file-root -d 'Let transcripts read files below this folder, not only below their own' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand test" -l secret -d 'Give {{secret_NAME}} a value that is never shown; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -s H -l header -d 'Send this header with the handshake; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -s s -l subprotocol -d 'Offer these subprotocols, in order of preference' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -s o -l origin -d 'Send this Origin' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l host -d 'Send this Host instead of the one in the URL' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l user-agent -d 'Send this User-Agent' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l auth -d 'Authenticate with user name and password (Basic)' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l bearer -d 'Authenticate with a token (Bearer)' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l cookie -d 'Send cookies: NAME=VALUE, or the name of a Netscape cookie file; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l max-redirects -d 'Follow at most this many redirects' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l connect-timeout -d 'Give up when the handshake is not done after this long' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l max-time -d 'End everything after this long, with exit code 7' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l wait-for-server -d 'Retry the first connect for this long: for a server that is still starting' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l resolve -d 'Use this address for HOST:PORT instead of asking DNS; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l unix-socket -d 'Connect through this Unix socket, whatever the URL\'s host is' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand test" -l protocol -d 'Ask for this version of the WebSocket protocol (Sec-WebSocket-Version)' -r -f -a "8\t''
13\t''"
complete -c wscope -n "__fish_wscope_using_subcommand test" -l ca -d 'Trust the certificates in this file instead of the system\'s; may be repeated' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand test" -l pin -d 'Trust the server with this key, whatever else its certificate says; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l cert -d 'Present this certificate to the server (PEM)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand test" -l key -d 'The private key of --cert, where it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand test" -l passphrase -d 'What the key is encrypted with' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l sni -d 'Ask the server for this name; the certificate is still checked for the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l proxy -d 'Go through this proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l max-message-size -d 'Refuse messages that are larger than this (close code 1009)' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l heartbeat -d 'Ping the peer and notice when it is gone' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l heartbeat-message -d 'Send this text in place of pings' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l heartbeat-reply -d 'The text that answers --heartbeat-message' -r
complete -c wscope -n "__fish_wscope_using_subcommand test" -l color -d 'When to use colours' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wscope -n "__fish_wscope_using_subcommand test" -l config -d 'Read this config file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand test" -l check -d 'Say what is wrong with transcripts, and which hosts, values and files they would use'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l json -d 'With --check: an object of JSON on a line for each file'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l convert -d 'Print a browser\'s recording (page.har) as a transcript'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l suggest -d 'Print the first of two recordings with captures where the second has other values'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l bless -d 'Write what came into the lines that failed; not where CI is set'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l fail-fast -d 'Begin no more files after one that failed'
complete -c wscope -n "__fish_wscope_using_subcommand test" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_using_subcommand test" -s 4 -l ipv4 -d 'Connect over IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand test" -s 6 -l ipv6 -d 'Connect over IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand test" -s k -l insecure -d 'Do not check the server\'s certificate'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l no-proxy -d 'Connect directly, whatever the environment says'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l no-pong -d 'Do not answer pings: see what the peer does then'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l compress -d 'Compress messages where the peer does too (permessage-deflate)'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l no-compress -d 'Neither offer nor accept compression'
complete -c wscope -n "__fish_wscope_using_subcommand test" -s v -l verbose -d 'Show the whole conversation'
complete -c wscope -n "__fish_wscope_using_subcommand test" -l no-config -d 'Read no config file'
complete -c wscope -n "__fish_wscope_using_subcommand test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l mode -d 'What each connection does' -r -f -a "echo\t'send, and match the answer (rtt)'
send\t'send and expect nothing (throughput, send_stall)'
listen\t'only receive (rate, first_message)'
fanout\t'some publish, the others get it (delivery, reach, last_subscriber)'
hold\t'connect, ping and idle (open connections, early closes, ping)'
churn\t'connect, exchange a message, close, again (handshakes per second)'
script\t'play the transcript of --script, with all its peers (step.LINE, checks)'"
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l script -d 'Let each connection\'s user play this transcript instead, again and again (--mode script)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l var -d 'Give {{NAME}} a value in the script; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l publishers -d 'Let this many of the connections publish (--mode fanout)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l groups -d 'Deal the connections into this many groups: {{group}} in the URL, headers and messages' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l audience -d 'Who is to get a message (--mode fanout): auto, subscribers, others (publishers too) or all (its publisher too)' -r -f -a "auto\t''
subscribers\t''
others\t''
all\t''"
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s c -l connections -d 'Hold this many connections' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s d -l duration -d 'Measure for this long, after the ramp and the warm-up' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s n -l messages -d 'End after this many messages' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s r -l rate -d 'Send this many messages per second over all connections, whatever the answers do (open loop)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l rate-per-conn -d 'Send this many messages per second on each connection (open loop)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l rate-stages -d 'How many messages per second at which time, in straight lines from 0: 10s:1k,30s:5k (open loop)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l max-inflight -d 'Drop, and count, what would be in flight beyond this (open loop)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l pipeline -d 'Keep this many messages in flight on each connection' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l think -d 'Pause after each answer: 100ms, 1s-5s (uniform) or exp:2s (exponential)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l lifetime -d 'Close each connection after so long and open it again' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l storm -d 'Drop all connections this often, and open them again at once' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l slow -d 'Let this share of the connections read no faster: 5%:1kB/s' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l connect-rate -d 'Open this many connections per second; 0 is as fast as it goes' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l connect-concurrency -d 'Have at most this many handshakes in flight' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l stages -d 'How many connections at which time: 30s:1k,2m:10k,30s:0' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l find-max -d 'Find how much holds this, up to -c or --rate: connections:\'ping.p99<100ms\', rate:\'rtt.p99<50ms\'' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l warmup -d 'Measure nothing for so long after the ramp' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l grace -d 'Wait for the last answers for so long' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l timeout -d 'Give a message up that is not answered within this time' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l heartbeat -d 'Ping each connection: standard (30/10), mobile (15/5), alb (55/10), INTERVAL/TIMEOUT, or off' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l source-ip -d 'Connect from this local address; may be repeated, each is used for up to 14,000 connections' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l threads -d 'Use this many threads' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l seed -d 'Make the run\'s chances repeatable' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s m -l message -d 'Send this text; {{seq}}, {{conn}}, {{group}}, {{now}} and the columns of --feed are filled in' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l message-file -d 'Send what is in this file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l payload-size -d 'Send messages of this size, numbered' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l match -d 'Know the answer to a message by: echo, fifo, none, a JSON /pointer that both have, or a regex' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s x -l execute -d 'Send this text after each open; may be repeated, and holds variables like --message' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l feed -d 'Read values from a CSV file, a row for each connection' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l max-message-size -d 'Refuse messages that are larger than this (close code 1009)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l shard -d 'Be the part I of N of the load, numbered from 1: 2/4; auto asks the scheduler\'s variables' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l start-at -d 'Begin at this time: 2026-11-28T14:30:00Z, +30s, or seconds since 1970' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l threshold -d 'Exit with 4 unless this holds: \'rtt.p99<250ms\', \'errors.rate<0.5%\'; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l report -d 'Write a report: json=FILE, text=FILE, html=FILE, csv=FILE, hdr=FILE, md=FILE, junit=FILE, prom=:PORT; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l save-baseline -d 'Keep the result under this name, to be compared with later ones' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l baseline -d 'Compare with an earlier result, and exit with 4 where something is worse' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l noise -d 'By how much figures may differ without being worse: 5% (the default)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l live -d 'Show how it goes: on the full screen (tui), a line every second (plain), or not at all (none)' -r -f -a "auto\t''
tui\t''
plain\t''
none\t''"
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l spawn -d 'Start the server with this command, wait until it listens, stop it at the end' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l pid -d 'Show CPU and memory of this process too: the server, if it runs here' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l color -d 'When to use colours' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l theme -d 'How it looks; t goes through them' -r -f -a "auto\t''
dark\t''
light\t''
colour-blind\t''
mono\t''"
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s H -l header -d 'Send this header with the handshake; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s s -l subprotocol -d 'Offer these subprotocols, in order of preference' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s o -l origin -d 'Send this Origin' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l host -d 'Send this Host instead of the one in the URL' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l user-agent -d 'Send this User-Agent' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l auth -d 'Authenticate with user name and password (Basic)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l bearer -d 'Authenticate with a token (Bearer)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l cookie -d 'Send cookies: NAME=VALUE, or the name of a Netscape cookie file; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l max-redirects -d 'Follow at most this many redirects' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l connect-timeout -d 'Give up when the handshake is not done after this long' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l max-time -d 'End everything after this long, with exit code 7' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l wait-for-server -d 'Retry the first connect for this long: for a server that is still starting' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l resolve -d 'Use this address for HOST:PORT instead of asking DNS; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l unix-socket -d 'Connect through this Unix socket, whatever the URL\'s host is' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l protocol -d 'Ask for this version of the WebSocket protocol (Sec-WebSocket-Version)' -r -f -a "8\t''
13\t''"
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l ca -d 'Trust the certificates in this file instead of the system\'s; may be repeated' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l pin -d 'Trust the server with this key, whatever else its certificate says; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l cert -d 'Present this certificate to the server (PEM)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l key -d 'The private key of --cert, where it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l passphrase -d 'What the key is encrypted with' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l sni -d 'Ask the server for this name; the certificate is still checked for the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l proxy -d 'Go through this proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l config -d 'Read this config file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l reconnect -d 'Open a connection again that was lost'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l sync -d 'Begin with all connections at once'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l binary -d 'Send binary messages'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l compress -d 'Offer compression (permessage-deflate): it costs this machine much more'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l strict -d 'Exit with 10 where the result is suspect, because this machine was the limit'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l dry-run -d 'Say what would be done, and whether this machine can do it'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l debug -d 'Open one connection, send one message, and show what happens'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l yes -d 'Do not ask before a large load on a public address'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l stay -d 'Keep the full screen after the end, until q closes it'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l ascii -d 'Draw with ASCII signs only'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l mouse -d 'Let the mouse scroll and choose; the terminal\'s own selection then needs Shift'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s 4 -l ipv4 -d 'Connect over IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s 6 -l ipv6 -d 'Connect over IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s k -l insecure -d 'Do not check the server\'s certificate'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l no-proxy -d 'Connect directly, whatever the environment says'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -l no-config -d 'Read no config file'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -a "report" -d 'Show a result again, or write reports of it'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -a "compare" -d 'Say whether results are worse than earlier ones'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and not __fish_seen_subcommand_from report compare merge" -a "merge" -d 'Make one result of those of the shards of a load'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from report" -l report -d 'Write a report: json=FILE, text=FILE, html=FILE, csv=FILE, hdr=FILE, md=FILE, junit=FILE; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from compare" -l noise -d 'By how much figures may differ without being worse: 5% (the default)' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from compare" -l report -d 'Write a report: html=FILE, json=FILE, md=FILE, text=FILE; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from compare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from merge" -l threshold -d 'Exit with 4 unless this holds too, beside the thresholds of the shards; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from merge" -l report -d 'Write a report: json=FILE, text=FILE, html=FILE, csv=FILE, hdr=FILE, md=FILE, junit=FILE; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from merge" -l partial -d 'Merge what there is where shards are missing'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from merge" -l strict -d 'Exit with 10 where the result is suspect, because one of the shards is or they did not run together'
complete -c wscope -n "__fish_wscope_using_subcommand bench; and __fish_seen_subcommand_from merge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s n -l count -d 'Send this many pings' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l interval -d 'Time from ping to ping; the next one waits for the pong in any case' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l timeout -d 'How long a pong may take; none within it is exit code 7' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s H -l header -d 'Send this header with the handshake; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s s -l subprotocol -d 'Offer these subprotocols, in order of preference' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s o -l origin -d 'Send this Origin' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l host -d 'Send this Host instead of the one in the URL' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l user-agent -d 'Send this User-Agent' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l auth -d 'Authenticate with user name and password (Basic)' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l bearer -d 'Authenticate with a token (Bearer)' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l cookie -d 'Send cookies: NAME=VALUE, or the name of a Netscape cookie file; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l max-redirects -d 'Follow at most this many redirects' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l connect-timeout -d 'Give up when the handshake is not done after this long' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l max-time -d 'End everything after this long, with exit code 7' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l wait-for-server -d 'Retry the first connect for this long: for a server that is still starting' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l resolve -d 'Use this address for HOST:PORT instead of asking DNS; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l unix-socket -d 'Connect through this Unix socket, whatever the URL\'s host is' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l protocol -d 'Ask for this version of the WebSocket protocol (Sec-WebSocket-Version)' -r -f -a "8\t''
13\t''"
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l ca -d 'Trust the certificates in this file instead of the system\'s; may be repeated' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l pin -d 'Trust the server with this key, whatever else its certificate says; may be repeated' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l cert -d 'Present this certificate to the server (PEM)' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l key -d 'The private key of --cert, where it is not in the same file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l passphrase -d 'What the key is encrypted with' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l sni -d 'Ask the server for this name; the certificate is still checked for the URL\'s host' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l proxy -d 'Go through this proxy' -r
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l color -d 'When to use colours' -r -f -a "auto\t''
always\t''
never\t''"
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l config -d 'Read this config file' -r -F
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l cross-check -d 'Do the same with a second implementation, tokio-tungstenite, and show what differs'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s L -l location -d 'Follow redirects'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s 4 -l ipv4 -d 'Connect over IPv4 only'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s 6 -l ipv6 -d 'Connect over IPv6 only'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s k -l insecure -d 'Do not check the server\'s certificate'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l no-proxy -d 'Connect directly, whatever the environment says'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s q -l quiet -d 'Print nothing but errors: the exit code says it all'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l json -d 'Print every event as a line of JSON'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s v -l verbose -d 'Show the opening handshake, both ways'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -l no-config -d 'Read no config file'
complete -c wscope -n "__fish_wscope_using_subcommand ping" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wscope -n "__fish_wscope_using_subcommand help; and not __fish_seen_subcommand_from connect listen serve test bench ping help" -f -a "connect" -d 'Talk to an endpoint: full screen on a terminal, in lines with --line or in a pipe'
complete -c wscope -n "__fish_wscope_using_subcommand help; and not __fish_seen_subcommand_from connect listen serve test bench ping help" -f -a "listen" -d 'Print what arrives: from URLs, or on a port that others connect to'
complete -c wscope -n "__fish_wscope_using_subcommand help; and not __fish_seen_subcommand_from connect listen serve test bench ping help" -f -a "serve" -d 'Run a server to test clients against'
complete -c wscope -n "__fish_wscope_using_subcommand help; and not __fish_seen_subcommand_from connect listen serve test bench ping help" -f -a "test" -d 'Play transcripts against a server and check its answers'
complete -c wscope -n "__fish_wscope_using_subcommand help; and not __fish_seen_subcommand_from connect listen serve test bench ping help" -f -a "bench" -d 'Load a server with many connections, and say how it bore that'
complete -c wscope -n "__fish_wscope_using_subcommand help; and not __fish_seen_subcommand_from connect listen serve test bench ping help" -f -a "ping" -d 'Is it up, how long does each step take, when does the certificate expire'
complete -c wscope -n "__fish_wscope_using_subcommand help; and not __fish_seen_subcommand_from connect listen serve test bench ping help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wscope -n "__fish_wscope_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "report" -d 'Show a result again, or write reports of it'
complete -c wscope -n "__fish_wscope_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "compare" -d 'Say whether results are worse than earlier ones'
complete -c wscope -n "__fish_wscope_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "merge" -d 'Make one result of those of the shards of a load'
