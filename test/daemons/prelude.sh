# The beginning of every script. The PATH is that of Debian, without what the machine may have in addition.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root

# ask PORT TEXT ANSWER: sends a text, and waits until the answer contains what it should.
ask() {
	/usr/bin/python3 -c '
import socket, sys
port, text, want = sys.argv[1:]
s = socket.create_connection(("127.0.0.1", int(port)), 5)
s.sendall(text.encode().decode("unicode_escape").encode())
got = b""
while want.encode() not in got:
    more = s.recv(4096)
    if not more:
        sys.exit(repr(got))
    got += more' "$@"
}

