//! The binary of [`windi_functions::files`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::files::main()
}
