use std::fs;

use super::*;

fn read(text: &str, pipeline: &str) -> Result<DagSettings, UserError> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "pyproject.toml",
        "[tool.kedro]\npackage_name = \"shop\"\nproject_name = \"Shop\"\nkedro_init_version = \"1.7.0\"\n",
    );
    write("src/shop/settings.py", "");
    write("conf/local/parameters.yml", "");
    write("conf/base/airflow.yml", text);
    DagSettings::read(&mut Reader::new(folder.path()), None, pipeline)
}

fn arguments(text: &str) -> String {
    read(text, "training").unwrap().arguments().unwrap()
}

#[test]
fn without_settings_a_dag_runs_only_when_it_is_asked_to() {
    assert_eq!(
        arguments("{}"),
        "    schedule=None,
    start_date=datetime(2023, 1, 1),
    catchup=False,
    max_active_runs=3,
    default_args={
        'owner': 'airflow',
        'depends_on_past': False,
        'retries': 1,
        'retry_delay': timedelta(minutes=5),
    },
"
    );
}

#[test]
fn a_pipeline_has_its_own_settings_over_those_for_all() {
    let text = "default:
  start_date: [2026, 1, 31]
  schedule_interval: '@daily'
  owner: it's me
  retries: 2
  retry_delay: 0.5
training:
  retries: 0
  start_date: '2026-02-01'
  catchup: true
  max_active_runs: 1
  tags: [bikes, \"a 'b'\"]
  email: me@example.com
  email_on_failure: true
  email_on_retry: false
  depends_on_past: true
  colour: red
";
    assert_eq!(
        arguments(text),
        "    schedule='@daily',
    start_date=datetime.fromisoformat('2026-02-01'),
    catchup=True,
    max_active_runs=1,
    tags=['bikes', \"a 'b'\"],
    default_args={
        'owner': \"it's me\",
        'depends_on_past': True,
        'email': ['me@example.com'],
        'email_on_failure': True,
        'email_on_retry': False,
        'retries': 0,
        'retry_delay': timedelta(minutes=0.5),
    },
"
    );
    assert_eq!(read(text, "training").unwrap().unused(), ["colour"]);
    let other = read(text, "other").unwrap().arguments().unwrap();
    assert!(other.contains("start_date=datetime(2026, 1, 31),"), "{other}");
    assert!(other.contains("'retries': 2,"), "{other}");
}

#[test]
fn a_schedule_has_precedence_over_its_older_name() {
    let text = "default: {schedule: '@weekly', schedule_interval: '@daily'}";
    assert!(arguments(text).starts_with("    schedule='@weekly',\n"));
    assert!(arguments("default: {schedule: null}").starts_with("    schedule=None,\n"));
}

#[test]
fn a_wrong_setting_is_refused_with_its_place() {
    let cases = [
        ("retries: -1", "`retries` must be a whole number from 0 on."),
        ("retries: many", "`retries` must be a whole number from 0 on."),
        ("catchup: 1", "`catchup` must be `true` or `false`."),
        ("owner: [a]", "`owner` must be a text."),
        ("schedule: 5", "`schedule` must be a text such as `@daily` or `0 6 * * *`, or `null`."),
        ("tags: [1]", "`tags` must be a text or a list of texts."),
        ("start_date: soon", "`start_date` must be a date: `\"2026-01-31\"` or `[2026, 1, 31]`."),
        ("start_date: [2026]", "`start_date` must be a date: `\"2026-01-31\"` or `[2026, 1, 31]`."),
        ("retry_delay: -0.5", "`retry_delay` must be a number of minutes from 0 on."),
    ];
    for (setting, wanted) in cases {
        let settings = read(&format!("default:\n  {setting}\n"), "training").unwrap();
        let error = settings.arguments().unwrap_err().to_string();
        assert_eq!(error, format!("conf/base/airflow.yml:2: {wanted}"));
    }
    let error = read("default: 3", "training").unwrap_err().to_string();
    assert_eq!(error, "conf/base/airflow.yml:1: it must be a mapping of settings.");
    assert!(read("default: {", "training").is_err());
}
