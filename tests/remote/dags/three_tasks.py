"""Three small tasks: one plain, one mapped over three values, one that fails at its first try."""

from datetime import datetime, timedelta

try:
    from airflow.sdk import Param, dag, get_current_context, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models.param import Param
    from airflow.operators.python import get_current_context


@dag(
    dag_id="three_tasks",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    tags=["harbour", "test"],
    params={"bikes": Param(3, type="integer", minimum=0, description="How many bikes are counted.")},
)
def three_tasks():
    @task
    def count():
        """Prints what the run was given."""
        bikes = get_current_context()["params"]["bikes"]
        print(f"counting {bikes} bikes")
        return bikes

    @task
    def double(number, bikes):
        print(f"double of {number} is {2 * number}")

    @task(retries=1, retry_delay=timedelta(seconds=3))
    def second_try():
        tries = get_current_context()["ti"].try_number
        print(f"this is try {tries}")
        if tries == 1:
            raise ValueError("the first try fails")

    double.partial(bikes=count()).expand(number=[1, 2, 3]) >> second_try()


three_tasks()
