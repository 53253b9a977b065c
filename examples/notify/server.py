"""A server that takes a second to load and tells cginit when it can answer."""
import os
import select
import signal
import socket
import sys
import time

ADDRESS = ("127.0.0.1", 8080)


def notify(text):
    """Sends a datagram to the socket that NOTIFY_SOCKET names, as sd_notify(3) does."""
    name = os.environ.get("NOTIFY_SOCKET")
    if not name:
        return  # not started by a supervisor that listens
    if name[0] == "@":  # an abstract socket: its name begins with a NUL
        name = "\0" + name[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text.encode(), name)


def ask():
    with socket.create_connection(ADDRESS) as s:
        print("the server says", s.recv(100).decode())


def serve():
    notify("STATUS=loading")
    time.sleep(1)  # stands for the work that a server does before it can answer
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
