//! The binary of [`windi_functions::disconnect`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::disconnect::main()
}
