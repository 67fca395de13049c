"""Settings, some of which a test chooses."""

import os

from parity_plugin import recorder

from .extras import Override, Store, add_logging

HOOKS = (recorder("project"), Override())
SESSION_STORE_CLASS = Store

if os.environ.get("PARITY_PLUGINS") == "disabled":
    DISABLE_HOOKS_FOR_PLUGINS = ("parity-plugin",)

add_logging(os.environ.get("PARITY_LOGGING"))

broken = os.environ.get("PARITY_BREAK")
if broken == "settings":
    import a_package_that_is_missing  # noqa: F401

session = os.environ.get("PARITY_SESSION")
if session == "service":
    from kedro.framework.session import KedroServiceSession as SESSION_CLASS  # noqa: F401
elif session == "own":
    from .extras import Session as SESSION_CLASS  # noqa: F401
elif session == "open":
    from .extras import OpenSession as SESSION_CLASS  # noqa: F401
