//! The binary of [`windi_functions::history`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::history::main()
}
