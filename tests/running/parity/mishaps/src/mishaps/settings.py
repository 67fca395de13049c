"""Settings: hooks that record, and one that fails where a test says so."""

from parity_plugin import recorder

from .extras import Failing

HOOKS = (Failing(), recorder("project"))
