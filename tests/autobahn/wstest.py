"""Starts Autobahn's `wstest` (CPython 2.7) for tests/autobahn/run.

    wstest.py PACKAGES -m fuzzingserver|fuzzingclient ...

PACKAGES is the folder that pip installed into. It is added as a site folder, for zope's namespace
package comes with a .pth file. Whatever a spec's url says, wstest listens on every interface; here
each listener is put on a free port of 127.0.0.1, and "listening PORT" tells which.
"""

from __future__ import print_function

import site
import sys

site.addsitedir(sys.argv.pop(1))

from autobahntestsuite import wstest  # It chooses the reactor: before any import of one.
from twisted.internet import reactor

listen = reactor.listenTCP


def listen_on_loopback(_port, factory, backlog=50, interface=""):
    listener = listen(0, factory, backlog, "127.0.0.1")
    port = listener.getHost().port
    # The Host header is checked against the port that the factory believes in.
    factory.externalPort = port
    print("listening", port)
    sys.stdout.flush()
    return listener


reactor.listenTCP = listen_on_loopback
wstest.run()
