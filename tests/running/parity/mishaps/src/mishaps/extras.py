"""What fails beside the nodes."""

import os

from kedro.framework.hooks import hook_impl


class Odd(Exception):
    """Can be pickled, and not unpickled."""

    def __init__(self, one, other):
        super().__init__(f"{one} and {other}")


class Failing:
    """Raises in the hook that `PARITY_HOOK` names."""

    def fail(self, hook):
        if os.environ.get("PARITY_HOOK") == hook:
            raise LookupError(f"not in {hook}")

    @hook_impl
    def after_context_created(self):
        self.fail("after_context_created")

    @hook_impl
    def before_pipeline_run(self):
        self.fail("before_pipeline_run")

    @hook_impl
    def after_pipeline_run(self):
        self.fail("after_pipeline_run")

    @hook_impl
    def before_node_run(self):
        self.fail("before_node_run")

    @hook_impl
    def after_dataset_saved(self):
        self.fail("after_dataset_saved")

    @hook_impl
    def on_node_error(self):
        self.fail("on_node_error")
