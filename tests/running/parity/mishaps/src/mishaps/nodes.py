"""Ways to fail."""

import logging
import sys

from .extras import Odd

logger = logging.getLogger(__name__)


def good(data):
    logger.info("%d to sort", len(data))
    print("sorting")
    return sorted(data)


def bad(data):
    try:
        raise ValueError(f"{len(data)} is too many")
    except ValueError as error:
        raise RuntimeError("no luck\nat all") from error


def odd(data):
    raise Odd("this", "that")


def exit_with_3(data):
    sys.exit(3)


def exit_with_0(data):
    sys.exit(0)


def exit_with_words(data):
    sys.exit("enough")


def interrupt(data):
    raise KeyboardInterrupt


def one_of_two(data):
    return (1,)


def unserialisable(data):
    return {1, 2}


def lazy(data):
    return lambda: data


def some_lines(data):
    yield "one\n"
    yield "two\n"
    raise OSError("no third line")


anonymous = lambda data: data  # noqa: E731
