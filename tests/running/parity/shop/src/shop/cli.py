"""A command line of the project's own, where a test says so."""

import os

import click
from kedro.framework.session import KedroSession

if os.environ.get("PARITY_CLI") != "own":
    raise ModuleNotFoundError("No module named 'shop.cli'")


@click.group(name="shop")
def cli():
    pass


@cli.command()
@click.option("--to-nodes", default="")
def run(to_nodes):
    """Run the pipeline, all of it that leads to a node, in the other environment."""
    with KedroSession.create(env="other") as session:
        session.run(to_nodes=to_nodes.split(","))
