"""Functions of the nodes."""

import logging
import warnings

logger = logging.getLogger(__name__)


def pick(orders, limit):
    logger.debug("picking %d", limit)
    return orders[:limit]


def split(recent):
    return [one for one in recent if one["price"] > 95], [one for one in recent if one["price"] <= 95]


def stream(recent):
    for one in recent:
        yield f"{one['id']}\n"


def summarise(big, small):
    warnings.warn("few orders", UserWarning)
    return {"count": len(big) + len(small), "total": sum(one["price"] for one in big + small)}


def publish(summary, style, title):
    logger.info("a page [bold]%s[/bold]", title)
    print("printed")
    return f"{title}: {summary['count']} {sorted(style)}"


def train(big, parameters):
    return {"factor": len(big) + parameters["bonus"]}


def score(model, big):
    return [one["price"] * model["factor"] for one in big], {"weights": (model["factor"], {1, 2})}


def write_table(chosen):
    return "[" + ",".join(str(one["id"]) for one in chosen) + "]"


def read_table(table):
    logging.getLogger("elsewhere").warning("%d rows", len(table))
    return len(table)


def greet():
    return "hello"


def count(text):
    return len(text)


def notify(letters, rows):
    logger.error("%d letters, %d rows", letters, rows)
