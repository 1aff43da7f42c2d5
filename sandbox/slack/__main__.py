import sys

from sandbox.slack.main import main

sys.exit(main())
