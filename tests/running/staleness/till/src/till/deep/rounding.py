DIGITS = 1


def nearest(value):
    return round(value, DIGITS)


def floor(value):
    return value // 1
