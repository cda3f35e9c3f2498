//! How many messages the messenger delivers on one machine, and how soon: `cargo bench -p windi-local --bench throughput`.
//!
//! Two, ten and fifty people in private pairs; each sends the next message when the other has the last one. PostgreSQL
//! syncs every commit to disk, and pushes go through the real SDK and `@connections`: everything the product does, in
//! one process with its load. In turns, `pgbench` shows what PostgreSQL alone reaches with as many clients over as many
//! chats, first with `send_message`, then with a bare insert. Figures are medians of the rounds. `-- 10` measures only
//! ten people, for a profiler.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use support::messenger::{self, Messenger, Person};
use support::pgbench::{Pgbench, Script};
use support::sockets::{Device, new_message};
use support::{median, percentile};

/// The program's allocator, because the product is what is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PEOPLE: [usize; 3] = [2, 10, 50];
const ROUNDS: usize = 3;
const SECONDS: u64 = 4;

#[tokio::main]
async fn main() {
    let messenger = Messenger::start().await;
    let db = &messenger.app.db;
    // Cargo adds `--bench`.
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let counts = if asked.is_empty() { PEOPLE.to_vec() } else { asked };
    let most = *counts.iter().max().unwrap();
    messenger::add_people(db, 0..most).await;
    messenger::add_private_chats(db, 0..most / 2).await;
    let people = messenger.log_in(0..most).await;
    let pgbench = Pgbench::beside(&messenger).await;
    println!("{:>6} {:>11} {:>9} {:>9} {:>9}", "people", "delivered/s", "push p50", "push p99", "ack p50");
    for count in counts {
        let (mut rates, mut pushes, mut acks, mut sends, mut bares) = (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let (rate, times) = talk(&messenger.base, &people[..count]).await;
            rates.push(rate);
            pushes.extend(times.pushes);
            acks.extend(times.acks);
            sends.push(pgbench.per_second(Script::Send, count, count / 2, SECONDS));
            bares.push(pgbench.per_second(Script::Bare, count, count / 2, SECONDS));
        }
        let (rate, send, bare) = (median(rates), median(sends), median(bares));
        let (half, most) = (percentile(&mut pushes, 0.5), percentile(&mut pushes, 0.99));
        println!("{count:6} {rate:11.0} {half:6.2} ms {most:6.2} ms {:6.2} ms", percentile(&mut acks, 0.5));
        let (to_send, to_bare) = (100.0 * rate / send, 100.0 * rate / bare);
        println!(
            "       {to_send:.0} % of send_message alone ({send:.0}/s), {to_bare:.0} % of a bare insert ({bare:.0}/s)"
        );
        if count == 2 {
            let alone = pgbench.median_ms(Script::Send, SECONDS);
            println!("       push p50 is {:.1} times one client's send_message ({alone:.2} ms)", half / alone);
        }
    }
    drop(pgbench);
    messenger.stop().await;
}

/// How long deliveries took since their sends, in milliseconds.
#[derive(Default)]
struct Times {
    /// To the other person.
    pushes: Vec<f64>,
    /// Back to the sender.
    acks: Vec<f64>,
}

/// Lets people talk in pairs: how many messages a second reached the other person, and how soon.
async fn talk(base: &str, people: &[Person]) -> (f64, Times) {
    let mut pairs = Vec::new();
    for (number, pair) in people.chunks(2).enumerate() {
        let devices = [Device::connect(base, &pair[0]).await, Device::connect(base, &pair[1]).await];
        pairs.push((number, [&pair[0], &pair[1]].map(|person| person.id.to_string()), devices));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let tasks: Vec<_> = pairs
        .into_iter()
        .map(|(number, ids, devices)| tokio::spawn(talk_as_pair(number, ids, devices, stop.clone())))
        .collect();
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    stop.store(true, Ordering::Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    let mut all = Times::default();
    for times in join_all(tasks).await {
        let Times { pushes, acks } = times.unwrap();
        all.pushes.extend(pushes);
        all.acks.extend(acks);
    }
    (all.pushes.len() as f64 / seconds, all)
}

async fn talk_as_pair(chat: usize, ids: [String; 2], devices: [Device; 2], stop: Arc<AtomicBool>) -> Times {
    let chat_id = messenger::chat(chat);
    let [mut first, mut second] = devices;
    // Keys are unique for ever.
    let round = uuid::Uuid::new_v4().simple().to_string();
    let mut sent_at: [Vec<Instant>; 2] = [vec![Instant::now()], vec![Instant::now()]];
    first.send(chat_id, &format!("{round}-0")).await;
    second.send(chat_id, &format!("{round}-0")).await;
    let mut times = Times::default();
    while !stop.load(Ordering::Relaxed) {
        let (receiver, frame) = tokio::select! {
            frame = first.frame() => (0, frame),
            frame = second.frame() => (1, frame),
        };
        let Some(message) = new_message(&frame) else { continue };
        let sender = usize::from(message.sender_id != ids[0]);
        let number: usize = message.client_message_id.rsplit('-').next().unwrap().parse().unwrap();
        let took = sent_at[sender][number].elapsed().as_secs_f64() * 1000.0;
        if sender == receiver {
            times.acks.push(took);
            continue;
        }
        times.pushes.push(took);
        sent_at[sender].push(Instant::now());
        let device = if sender == 0 { &mut first } else { &mut second };
        device.send(chat_id, &format!("{round}-{}", number + 1)).await;
    }
    times
}
