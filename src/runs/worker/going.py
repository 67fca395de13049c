"""Going on after a failure: nodes that do not depend on the failed one still run."""

import logging


class Failures:
    """The nodes that failed, and those that can't run without their outputs."""

    def __init__(self, channel):
        self.channel = channel
        self.errors = {}  # name of the node -> its exception
        self.skipped = []
        self.missing = set()  # datasets that no node will make

    def check(self, runner, exact):
        """Refuses runners whose nodes run where their failures are not seen."""
        if any(base.__name__ == "ParallelRunner" for base in runner.__mro__) or not exact:
            raise ValueError(
                "%s can't keep going after a failure; the SequentialRunner and the ThreadRunner can"
                % runner.__name__
            )
        for base in runner.__mro__:
            logging.getLogger(base.__module__).addFilter(self.filter)

    def blocks(self, node):
        """Whether the node needs what a failed node did not make."""
        blocked = any(plain(name) in self.missing for name in node.inputs)
        if blocked:
            self.skipped.append(node.name)
            self.leave_out(node)
        return blocked

    def add(self, node, error):
        self.errors[node.name] = error
        self.leave_out(node)

    def leave_out(self, node):
        self.missing.update(plain(name) for name in node.outputs)

    def filter(self, record):
        """Leaves out the runner's report that such a node is completed."""
        named = isinstance(record.args, tuple) and len(record.args) == 1 and record.args[0]
        return not (str(record.msg).startswith("Completed node") and self.has(named))

    def has(self, name):
        return name in self.errors or name in self.skipped

    def end(self):
        """Raises the first error, after the runner has done what it could."""
        if not self.errors:
            return
        text = "Kept going after the failure of %s." % ", ".join(self.errors)
        if self.skipped:
            text += " Not run, because they need its outputs: %s." % ", ".join(self.skipped)
        self.channel.output(b"l", (None, "WARNING", "mlops-tui"), text)
        raise next(iter(self.errors.values()))


def plain(dataset):
    """The name without transcoding."""
    return dataset.partition("@")[0]
