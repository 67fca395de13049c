import pluggy

# The plug-ins of the environment take seconds to import and have no part in this.
pluggy.PluginManager.load_setuptools_entrypoints = lambda *_, **__: 0
