" Vim syntax file
" Language: wscope transcripts (*.wst)

if exists('b:current_syntax')
  finish
endif

syntax case match

" A number sign is a comment only as the first non-blank.
syntax match wstComment /^\s*#.*$/

" alice: connect ..., set name = value, ...
syntax match wstPeer /^\s*[A-Za-z][A-Za-z0-9_-]*:\ze\s/
syntax match wstStatement /^\s*\%([A-Za-z][A-Za-z0-9_-]*:\s\+\)\?\zs\%(connect\|ignore\)\>/
syntax match wstStatement /^\s*\zs\%(set\|wait\|repeat\|include\|end\)\ze\%(\s\|$\)/
syntax match wstModifier /^\s*\zs\%(within\|let\|header\|subprotocol\|origin\|timeout\|compress\|insecure\)\ze\%(\s\|$\)/

" alice> text, bob<~ /json {...}
syntax match wstSend /^\s*\%([A-Za-z][A-Za-z0-9_-]*\)\?>/ nextgroup=wstSendWord,wstFence skipwhite
syntax match wstExpect /^\s*\%([A-Za-z][A-Za-z0-9_-]*\)\?<\~\?/ nextgroup=wstExpectWord,wstFence skipwhite
syntax match wstSendWord contained /\/\%(text\|json\|bin\|file\|ping\|pong\|close\|frame\)\ze\%(\s\|$\)/ nextgroup=wstFence skipwhite
syntax match wstExpectWord contained /\/\%(text\|json\|exactly\|match\|contains\|any\|bin\|ping\|pong\|close\|none\|refused\|all\)\ze\%(\s\|$\)/ nextgroup=wstFence skipwhite
" Inside of /all ... end expectations have no marker.
syntax match wstExpectWord /^\s\+\zs\/\%(text\|json\|exactly\|match\|contains\|any\|bin\|ping\|pong\|close\)\ze\%(\s\|$\)/

" Several lines between lines of three or more quotes, the same count.
syntax region wstFence matchgroup=wstQuotes start=/\z("\{3,}\)\s*$/ end=/^\s*\z1\s*$/ contains=wstVariable contained keepend

syntax match wstVariable /{{[^{}]*}}/ containedin=ALLBUT,wstComment
syntax match wstEscaped /{{{{/ containedin=ALLBUT,wstComment
syntax match wstTime /\<\d\+\%(\.\d\+\)\?\%(us\|ms\|s\|m\|h\)\>/

highlight default link wstComment Comment
highlight default link wstPeer Identifier
highlight default link wstStatement Statement
highlight default link wstModifier PreProc
highlight default link wstSend Type
highlight default link wstExpect Special
highlight default link wstSendWord Function
highlight default link wstExpectWord Function
highlight default link wstFence String
highlight default link wstQuotes Delimiter
highlight default link wstVariable Constant
highlight default link wstEscaped SpecialChar
highlight default link wstTime Number

let b:current_syntax = 'wst'
