//! The binary of [`windi_functions::search`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::search::main()
}
