//! The runs that are compared: a project, a runner, options.

/// A run of both sides.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Folder of the project, in the repository.
    pub project: &'static str,
    /// `None` for the default, `SequentialRunner`.
    pub runner: Option<&'static str>,
    /// Options in the words of `mlops-tui run`.
    pub options: &'static [&'static str],
    /// Variables of the environment.
    pub environ: &'static [(&'static str, &'static str)],
    /// The shell's folder, below the project's.
    pub folder: &'static str,
    /// The oldest Kedro that it runs with: one that has what is asked for, or, to save time, the
    /// newest where older ones have no code of their own for it.
    pub since: &'static str,
}

impl Case {
    /// What the reports call it.
    pub fn name(&self) -> String {
        let project = self.project.rsplit('/').next().unwrap_or_default();
        let mut words = vec![project.to_owned()];
        words.extend(self.environ.iter().map(|(name, value)| format!("{name}={value}")));
        words.extend(self.options.iter().map(|&option| option.to_owned()));
        words.extend(self.runner.map(|runner| format!("--runner={runner}")));
        if !self.folder.is_empty() {
            words.push(format!("in {}", self.folder));
        }
        words.join(" ")
    }

    /// Whether what is printed has no layout of its own, and can be compared.
    pub fn prints_plainly(&self) -> bool {
        self.environ.iter().any(|(_, value)| *value == "plain_logging.yml")
    }

    /// Whether nodes or datasets are at work at the same time.
    pub fn concurrent(&self) -> bool {
        matches!(self.runner, Some("ThreadRunner" | "ParallelRunner"))
            || self.options.contains(&"--async")
    }
}

const PLAIN: Case = Case {
    project: "tests/running/parity/shop",
    runner: None,
    options: &[],
    environ: &[],
    folder: "",
    since: "0.18",
};

const fn shop(options: &'static [&'static str]) -> Case {
    Case { options, ..PLAIN }
}

const fn with(environ: &'static [(&'static str, &'static str)], case: Case) -> Case {
    Case { environ, ..case }
}

const fn since(since: &'static str, case: Case) -> Case {
    Case { since, ..case }
}

const fn mishap(options: &'static [&'static str]) -> Case {
    Case { project: "tests/running/parity/mishaps", options, ..PLAIN }
}

const fn sample(options: &'static [&'static str]) -> Case {
    Case { project: "sample-project", options, ..PLAIN }
}

const fn threads(case: Case) -> Case {
    Case { runner: Some("ThreadRunner"), ..case }
}

const fn processes(case: Case) -> Case {
    Case { runner: Some("ParallelRunner"), ..case }
}

/// A version that is in the project's folder.
const MODEL: &str = "--load-versions=model:2024-01-01T00.00.00.000Z";

/// One case of each kind, for the first releases of a major version.
pub const FEW: &[Case] = &[
    shop(&[]),
    shop(&["--nodes=score,greet", MODEL]),
    shop(&["--namespaces=report"]),
    mishap(&[]),
    threads(shop(&["--params=limit=2"])),
    processes(shop(&[])),
    processes(mishap(&[])),
];

/// Runs of the sample project, whose hooks are the plug-ins' alone: kedro-mlflow's and the recorder.
pub const SAMPLE: &[Case] = &[
    sample(&[]),
    sample(&["--pipeline=training", "--params=split.test_days=60"]),
    threads(sample(&["--tags=fast"])),
    processes(sample(&["--pipeline=data_processing"])),
];

/// Values of all types.
const TYPED: &str = "--params=a=1e3,b=.5,c=1_000,d=010,e=0o17,f=1:30,g=yes,h=~,i=,j=2024-01-01,k='1',\
                     l=0x1F,m=None,n=[1],o={x: 1},p=a:b,q.r=1,q.s=2,t=-0.0,u=it's,v=1,v.w=2,x.y=1,x=2";

/// Values that take YAML 1.1 to the letter.
const HARD: &str = "--params=code=08,big=12345678901234567890,most=.inf,none=.nan,time=1:30:15.5,\
                    note=a #1,tagged=!!str 1,keys[one]=1";

pub const CASES: &[Case] = &[
    // Slices.
    shop(&[]),
    shop(&["--pipeline=reporting"]),
    since("1", shop(&["--from-nodes=split"])),
    since("1", shop(&["--to-nodes=report.publish"])),
    shop(&["--nodes=train,greet"]),
    since("1", shop(&["--nodes=notify"])),
    since("1", shop(&["--nodes=count__782986d6,greet"])),
    shop(&["--nodes=count([greeting]) -> [letters],greet"]),
    shop(&["--from-inputs=big,recent"]),
    shop(&["--to-outputs=report.page,chunks"]),
    shop(&["--tags=text, model"]),
    shop(&["--namespaces=report"]),
    since("1", shop(&["--namespaces=report,none"])),
    since("1", shop(&["--from-nodes=split", "--to-outputs=report.summary", "--tags=fast"])),
    shop(&["--pipeline=modelling", "--from-inputs=big", "--to-nodes=score"]),
    since("1.2", shop(&["--pipelines=greeting,modelling"])),
    // Versions, missing outputs, parameters, configuration.
    shop(&["--nodes=score", MODEL]),
    since("1", shop(&["--only-missing-outputs"])),
    since("1", shop(&["--only-missing-outputs", "--to-nodes=report.publish,train"])),
    shop(&["--to-nodes=report.publish", "--params=limit=2,style.title=it is"]),
    since("1", shop(&["--nodes=greet", TYPED])),
    shop(&["--nodes=greet", HARD]),
    shop(&["--env=other"]),
    with(&[("KEDRO_ENV", "other")], shop(&["--to-nodes=pick"])),
    shop(&["--conf-source=elsewhere", "--to-nodes=report.publish"]),
    shop(&["--async"]),
    // Logging, sessions, runners, folders.
    with(&[("KEDRO_LOGGING_CONFIG", "plain_logging.yml")], mishap(&["--pipeline=good"])),
    with(&[("PARITY_LOGGING", "files")], shop(&["--nodes=greet"])),
    since(
        "0.19",
        with(
            &[("PARITY_LOGGING", "basic"), ("KEDRO_LOGGING_CONFIG", "bare_logging.yml")],
            shop(&["--to-nodes=pick"]),
        ),
    ),
    with(&[("PARITY_CLI", "own")], shop(&["--to-nodes=pick"])),
    since("1", with(&[("PARITY_PLUGINS", "disabled")], shop(&["--to-nodes=pick"]))),
    since("1.3", with(&[("PARITY_SESSION", "own")], shop(&["--to-nodes=pick"]))),
    since("1.3", with(&[("PARITY_SESSION", "open")], shop(&["--to-nodes=pick"]))),
    since("1.3", with(&[("PARITY_SESSION", "service")], shop(&["--params=limit=2"]))),
    Case { runner: Some("shop.extras.Runner"), ..shop(&["--tags=text"]) },
    since("0.19", Case { folder: "notebooks", ..shop(&["--nodes=greet"]) }),
    // What Kedro refuses.
    shop(&["--pipeline=reprting"]),
    shop(&["--nodes=nobody"]),
    since("1", shop(&["--from-nodes=split", "--to-nodes=nobody"])),
    shop(&["--tags=nobody"]),
    since("1", shop(&["--from-inputs=nothing"])),
    since("1", shop(&["--to-outputs=nothing"])),
    shop(&["--namespaces=nobody"]),
    shop(&["--env=nowhere"]),
    shop(&["--conf-source=nowhere"]),
    shop(&["--nodes=score", "--load-versions=model:2020-01-01T00.00.00.000Z"]),
    since("1", shop(&["--from-inputs=small"])),
    shop(&["--params=alone"]),
    Case { runner: Some("NoRunner"), ..PLAIN },
    with(&[("PARITY_BREAK", "settings")], PLAIN),
    with(&[("PARITY_BREAK", "registry")], PLAIN),
    // What fails on the way.
    mishap(&[]),
    mishap(&["--pipeline=exit_with_3"]),
    mishap(&["--pipeline=exit_with_0"]),
    since("1", mishap(&["--pipeline=exit_with_words"])),
    mishap(&["--pipeline=interrupt"]),
    mishap(&["--pipeline=one_of_two"]),
    mishap(&["--pipeline=load"]),
    mishap(&["--pipeline=save"]),
    since("1", mishap(&["--pipeline=stream"])),
    mishap(&["--pipeline=stream", "--async"]),
    since("1", mishap(&["--pipeline=nothing"])),
    mishap(&["--env=broken"]),
    since("1", mishap(&["--env=misspelt"])),
    with(&[("PARITY_HOOK", "before_pipeline_run")], mishap(&["--pipeline=good"])),
    since("1", with(&[("PARITY_HOOK", "after_pipeline_run")], mishap(&["--pipeline=good"]))),
    since("1", with(&[("PARITY_HOOK", "before_node_run")], mishap(&["--pipeline=good"]))),
    since("1", with(&[("PARITY_HOOK", "after_dataset_saved")], mishap(&["--pipeline=good"]))),
    with(&[("PARITY_HOOK", "on_node_error")], mishap(&[])),
    // Threads.
    threads(shop(&[])),
    threads(shop(&["--pipeline=reporting", "--params=limit=2"])),
    threads(shop(&["--from-nodes=split", "--tags=fast,text"])),
    since("1", threads(shop(&["--namespaces=report", "--env=other"]))),
    since("1", threads(shop(&["--only-missing-outputs"]))),
    since("1", threads(shop(&["--nodes=nobody"]))),
    threads(mishap(&[])),
    threads(mishap(&["--pipeline=exit_with_3"])),
    since("1", threads(mishap(&["--pipeline=load"]))),
    // Processes.
    processes(shop(&[])),
    processes(shop(&["--pipeline=modelling", MODEL])),
    processes(shop(&["--to-outputs=report.page", "--params=limit=2"])),
    processes(shop(&["--async", "--tags=model"])),
    since("1", processes(shop(&["--tags=nobody"]))),
    processes(mishap(&[])),
    processes(mishap(&["--pipeline=odd"])),
    since("1", processes(mishap(&["--pipeline=lazy"]))),
    processes(mishap(&["--pipeline=anonymous"])),
    since("1", with(&[("KEDRO_MP_CONTEXT", "spawn")], processes(shop(&["--tags=model"])))),
];
