"""A task that waits until it is told to go on, one that fails, and one behind it."""

from datetime import datetime

try:
    from airflow.sdk import dag, get_current_context, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.operators.python import get_current_context


@dag(dag_id="slow", schedule=None, start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1, tags=["test"])
def slow():
    @task
    def wait():
        import time

        seconds = (get_current_context()["dag_run"].conf or {}).get("seconds", 0)
        for second in range(int(seconds)):
            print(f"second {second}")
            time.sleep(1)

    @task
    def break_down():
        if not (get_current_context()["dag_run"].conf or {}).get("seconds"):
            raise RuntimeError("the chain is off")

    @task
    def after():
        print("all went well")

    wait() >> break_down() >> after()


slow()
