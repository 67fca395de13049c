from .deep import rounding


def tidy(order):
    return {key.strip(): value for key, value in order.items()}


def scaled(value, factor):
    return rounding.nearest(value * factor)


def other(value):
    return value
