"""A server that needs a while until it can answer, and says when it can."""
import os
import select
import signal
import socket
import sys
import time

ADDRESS = ("127.0.0.1", 8080)


def notify(text):
    """The protocol of sd_notify(3): a datagram to the socket that is named in the environment."""
    name = os.environ.get("NOTIFY_SOCKET")
    if not name:
        return  # nobody wants to know
    if name[0] == "@":  # an abstract socket: its name begins with a NUL
        name = "\0" + name[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text.encode(), name)


def ask():
    with socket.create_connection(ADDRESS) as s:
        print("the server says", s.recv(100).decode())


def serve():
    notify("STATUS=loading")
    time.sleep(1)  # what a program does before it can serve
    server = socket.create_server(ADDRESS)
    notify("READY=1\nSTATUS=serving")
    patience = int(os.environ.get("WATCHDOG_USEC", "60000000")) / 2e6
    while True:
        if select.select([server], [], [], patience)[0]:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"hello")
        notify("WATCHDOG=1")


def end(*_):
    notify("STOPPING=1")
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
ask() if "ask" in sys.argv else serve()
