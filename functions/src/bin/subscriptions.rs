//! The binary of [`windi_functions::subscriptions`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::subscriptions::main()
}
