//! The binary of [`windi_functions::members`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::members::main()
}
