use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(wscope::run(std::env::args_os()).0)
}
