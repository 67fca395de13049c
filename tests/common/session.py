"""Runs the programs of a server in a session of their own, until standard input ends.

    session.py FOLDER PROGRAMS        PROGRAMS is a JSON list of argument lists

The end of standard input means that the test process has ended, however it did. Then the whole session ends, with the tasks
that Airflow puts into process groups of their own, and the folder is deleted; after the word `keep` the folder stays.
When a program ends by itself the others end too, and the folder stays with its log.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import time

import psutil


def others():
    """Processes of this session that still run, without this one."""
    for process in psutil.process_iter(["status"]):
        try:
            same = os.getsid(process.pid) == os.getsid(0)
        except (ProcessLookupError, PermissionError):
            continue
        if same and process.pid != os.getpid() and process.info["status"] != psutil.STATUS_ZOMBIE:
            yield process


def end_session():
    # A process that is about to end may start another one: ask until there is none.
    while left := list(others()):
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                pass
        time.sleep(0.02)


def word_at_end(programs):
    """What came on standard input before its end, or nothing when a program ended first."""
    while not any(program.poll() is not None for program in programs):
        if select.select([sys.stdin], [], [], 0.5)[0]:
            return sys.stdin.read()
    return None


def main():
    folder = sys.argv[1]
    os.setsid()
    with open(os.path.join(folder, "log"), "ab") as log:
        programs = [
            subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
            for words in json.loads(sys.argv[2])
        ]
    word = word_at_end(programs)
    end_session()
    if word is None:
        sys.exit("a program of the server ended by itself")
    if word.strip() != "keep":
        shutil.rmtree(folder, ignore_errors=True)


main()
