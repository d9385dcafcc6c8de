"""`python -m ecrspec` is `ecrspec`."""

import os
import subprocess
import sys

from ecrspec import binary

if __name__ == "__main__":
    program = binary()
    if os.name == "posix":
        os.execv(program, [str(program), *sys.argv[1:]])
    sys.exit(subprocess.call([program, *sys.argv[1:]]))
