//! Variants of `settings.py`.

use std::path::Path;

use super::Project;
use crate::project::{Severity, Value};

#[test]
fn settings_are_evaluated() {
    let project = Project::new(&[(
        "settings.py",
        "from pathlib import Path
from kedro.config import OmegaConfigLoader
BASE = 'base'
CONF_SOURCE = '_'.join(['my', 'conf'])
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    'base_env': BASE,
    'default_run_env': f'{BASE}_local',
    'ignore_hidden': not True,
    'config_patterns': {'spark': ['spark*', 'spark*/**'], 'mlflow': ('mlflow*',)},
    'merge_strategy': {'parameters': 'soft'},
    'custom_resolvers': {
        'answer': lambda: 40 + 2,
        'table': lambda: {'a': [1, 2.5, None]},
        'add': lambda *numbers: sum(numbers),
        'today': print,
    },
}
CONFIG_LOADER_ARGS['merge_strategy'].update(spark='destructive')
",
    )]);
    let settings = project.settings();
    assert_eq!(settings.conf_source, "my_conf");
    assert_eq!(settings.config_loader_class, "OmegaConfigLoader");
    assert_eq!((&*settings.base_env, &*settings.default_run_env), ("base", "base_local"));
    assert!(!settings.ignore_hidden);
    assert_eq!(settings.config_patterns["spark"], ["spark*", "spark*/**"]);
    assert_eq!(settings.config_patterns["mlflow"], ["mlflow*"]);
    assert_eq!(settings.config_patterns["catalog"][0], "catalog*");
    assert_eq!(settings.merge_strategy["spark"], "destructive");
    assert_eq!(settings.custom_resolvers["answer"], Value::Int(42));
    assert!(settings.custom_resolvers["table"].get("a").is_some());
    assert!(matches!(settings.custom_resolvers["add"], Value::Unknown(_)));
    assert!(matches!(settings.custom_resolvers["today"], Value::Unknown(_)));
    assert!(settings.problems.is_empty(), "{:?}", settings.problems);
}

#[test]
fn the_configuration_folder_may_be_a_path() {
    for (code, expected) in [
        ("CONF_SOURCE = 'conf' + '_b'", "conf_b"),
        ("from pathlib import Path\nCONF_SOURCE = Path('conf') / 'b'", "conf/b"),
        ("from pathlib import Path\nCONF_SOURCE = str(Path('conf', 'c'))", "conf/c"),
        ("import os\nCONF_SOURCE = os.path.join('a', 'b')", "a/b"),
        ("", "conf"),
    ] {
        let settings = Project::new(&[("settings.py", code)]).settings();
        assert_eq!(settings.conf_source, expected, "{code}");
        assert!(settings.problems.is_empty(), "{code}");
    }
}

#[test]
fn settings_that_depend_on_the_environment_are_reported() {
    let project = Project::new(&[(
        "settings.py",
        "import os
CONF_SOURCE = os.environ.get('CONF', 'conf')
CONFIG_LOADER_ARGS = {'base_env': 'base', 'default_run_env': os.environ['ENV']}
",
    )]);
    let settings = project.settings();
    let texts: Vec<_> = settings
        .problems
        .iter()
        .map(|problem| (&*problem.text, problem.place.as_ref().unwrap().line))
        .collect();
    assert!(
        texts.iter().any(|(text, line)| text.contains("CONF_SOURCE") && *line == 2),
        "{texts:?}"
    );
    assert!(
        texts.iter().any(|(text, line)| text.contains("default_run_env") && *line == 3),
        "{texts:?}"
    );
    assert_eq!(settings.base_env, "base");
}

#[test]
fn broken_settings_are_reported_and_the_rest_is_read() {
    let project = Project::new(&[("settings.py", "CONF_SOURCE = 'c'\nHOOKS = (\n")]);
    let settings = project.settings();
    assert_eq!(settings.conf_source, "c");
    assert!(settings.problems.iter().any(|problem| problem.severity == Severity::Error));
    assert!(settings.problems.iter().all(|problem| {
        problem.place.as_ref().is_some_and(|place| &*place.file == Path::new("src/pkg/settings.py"))
    }));
}
