//! The binary of [`windi_functions::focus`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::focus::main()
}
