"""A web server that takes tasks and a worker that does them: POST / adds one, GET / counts those done."""
import http.server
import signal
import sqlite3
import sys
import time


def database():
    return sqlite3.connect("/srv/app.db", timeout=30, isolation_level=None)


def migrate():
    database().execute("create table if not exists task (id integer primary key, done integer not null default 0)")


class Tasks(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        (count,) = database().execute("select count(*) from task where done").fetchone()
        self.answer(200, f"{count} done\n")

    def do_POST(self):
        database().execute("insert into task default values")
        self.answer(201, "added\n")

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


def web():
    http.server.HTTPServer(("", 8080), Tasks).serve_forever()


def worker():
    db = database()
    while True:
        task = db.execute("select id from task where not done limit 1").fetchone()
        if task is None:
            time.sleep(0.1)
            continue
        db.execute("update task set done = 1 where id = ?", task)
        print("did task", *task)


# SIGTERM ends the program with status 0.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
{"migrate": migrate, "web": web, "worker": worker}[sys.argv[1]]()
