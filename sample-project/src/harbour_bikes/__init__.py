"""How many bikes will be ridden tomorrow?"""

__version__ = "0.1.0"
