import sys

from sandbox.xapi.main import main

sys.exit(main())
