//! What comes while something else is on the screen: the end of a run on another tab, an environment that is being made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::common::project::project;
use crate::common::python::python;
use crate::common::terminal::Terminal;

const FAILING: &str = "import pathlib, time\n\n\ndef wait(size):\n    while not pathlib.Path('go').exists():\n        \
    time.sleep(0.02)\n    raise ValueError('bad luck')\n\n\ndef make(node):\n    return [node(wait, 'params:size', None, name='wait')]\n";

#[test]
fn a_failing_run_is_seen_from_another_tab_and_announced() {
    let folder = project(FAILING);
    let (root, home) = (folder.path(), tempfile::tempdir().unwrap());
    fs::create_dir(home.path().join("config")).unwrap();
    fs::write(home.path().join("config/config.yaml"), "notify: [bell, osc9]\n").unwrap();
    let arguments = [root.to_str().unwrap(), "--python", python().to_str().unwrap()];
    let mut terminal = Terminal::start(home.path(), 100, 30, &arguments, &[]);
    terminal.wait_for("1 node");
    terminal.keys("r");
    terminal.wait_for("Trust this project?");
    terminal.keys("y");
    terminal.wait_for("run 1 0/1");
    terminal.keys("2");
    terminal.wait_for("Catalog ·");
    fs::write(root.join("go"), "").unwrap();
    terminal.wait_for("run 1 failed in wait");
    terminal.wait_for("ValueError: bad luck");
    terminal.wait_for("4 Runs✗");
    terminal.keys("T");
    terminal.wait_for("Traceback of wait");
    let written = terminal.written();
    assert!(written.contains("\x1b]9;run 1 failed in wait"), "no notification");
    assert!(written.contains("\x1b]2;failed Shop\x07"), "no title");
    terminal.keys("<esc>");
    terminal.wait_gone("Traceback of wait");
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
    assert!(terminal.written().contains("\x1b[23;2t"), "the title is not given back");
}

#[test]
fn esc_ends_the_making_of_the_environment() {
    let folder = project(FAILING);
    let (root, home) = (folder.path(), tempfile::tempdir().unwrap());
    fs::write(root.join("requirements.txt"), "kedro\n").unwrap();
    // A uv that downloads for ever.
    let tools = home.path().join("tools");
    fs::create_dir(&tools).unwrap();
    let script = "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho $$ > uv.pid\necho Resolved 3 packages in 1ms\n\
                  echo ' Downloaded numpy'\nexec sleep 600\n";
    fs::write(tools.join("uv"), script).unwrap();
    fs::set_permissions(tools.join("uv"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap_or_default());
    let arguments = [root.to_str().unwrap()];
    let mut terminal = Terminal::start(home.path(), 100, 30, &arguments, &[("PATH", &path)]);
    terminal.wait_for("1 node");
    terminal.keys(":");
    terminal.keys("make-env\r");
    terminal.wait_for("Make the Python environment?");
    terminal.keys("y");
    terminal.wait_for("Installing: 1 of 3 packages, numpy");
    terminal.keys("\r");
    terminal.wait_for(".venv: 1 of 3 packages");
    terminal.keys("3");
    terminal.wait_for("Parameters");
    terminal.keys(":");
    terminal.keys("make-env\r");
    terminal.wait_for("Installing: 1 of 3 packages");
    let pid = fs::read_to_string(root.join("uv.pid")).unwrap();
    // A process that has ended and was not waited for yet has an empty command line.
    let command_line = std::path::Path::new("/proc").join(pid.trim()).join("cmdline");
    let is_alive = || fs::read(&command_line).is_ok_and(|text| !text.is_empty());
    assert!(is_alive());
    terminal.keys("<esc>");
    terminal.wait_for("The Python environment is not complete");
    let began = Instant::now();
    while is_alive() {
        assert!(began.elapsed() < Duration::from_secs(10), "uv goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    terminal.keys("q");
    assert!(terminal.wait_exit().success());
}
