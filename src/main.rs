//! The command line of `mlops-tui`; everything else lives in the library.

fn main() -> std::process::ExitCode {
    mlops_tui::cli::main()
}
