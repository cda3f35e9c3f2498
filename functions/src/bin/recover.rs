//! The binary of [`windi_functions::recover`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::recover::main()
}
