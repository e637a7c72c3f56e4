"""Runs a command in a terminal of its own. Standard input is what is typed there; its end closes the terminal. Standard output is what the
terminal shows. The first line on standard error is the command's process id. Exits with the command's code, or 128 + N after signal N."""
import os
import pty
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
print(pid, file=sys.stderr, flush=True)
while True:
    ready, _, _ = select.select([terminal, 0], [], [])
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:  # On Linux the end of a terminal is an error.
            shown = b''
        if not shown:
            break
        os.write(1, shown)
    if 0 in ready:
        typed = os.read(0, 1024)
        if not typed:
            os.close(terminal)
            break
        os.write(terminal, typed)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
