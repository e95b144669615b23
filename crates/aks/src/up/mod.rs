//! `up`: creates everything of one run, in an order in which a kill leaves nothing that is missing in both ledger and tags.
//!
//! 1. Checks that create nothing: prices, sign-in, providers, quota.
//! 2. The ledger, then the resource group with its tags. Everything else is inside it, or in the node group, which is deleted
//!    with it.
//! 3. The deployment of `infra/`, the images, the kubeconfig, the overlay.
//!
//! Each step may be repeated: `up --run NAME` continues where it was cut off, and keeps the expiry.

mod deploy;
mod images;
mod overlay;
mod subscription;

use crate::args::UpArgs;
use crate::check::definitions;
use crate::cost::{Bill, Prices, SystemPool};
use crate::door::Door;
use crate::failure::{Exit, Failure};
use crate::kubernetes::Kubectl;
use crate::ledger::Ledger;
use crate::names::Run;
use crate::{say, stamp};

/// Creates the environment.
pub(crate) fn up(args: &UpArgs) -> Result<Exit, Failure> {
    let run = match &args.run {
        Some(run) => run.clone(),
        None => stamp::name(stamp::now())
            .parse()
            .map_err(|error: String| Failure::new(Exit::Usage, error))?,
    };
    say(&format!("run       {run}"));
    // First, since it needs a clone and leaves nothing behind.
    let system = SystemPool::read(&args.root)?;
    let door = Door::open(&args.common, args.common.out.join(run.to_string()))?;
    let prices = Prices::get(args, &system, &door)?;
    let bill = Bill::of(args, &system, &prices)?;
    for (what, usd) in &bill.lines {
        say(&format!("  {usd:>6.2} USD  {what}"));
    }
    say(&format!(
        "at most   {:.2} USD until the expiry, ceiling {:.2}",
        bill.total(),
        args.ceiling
    ));
    bill.hold(args.ceiling)?;
    if args.dry_run {
        say("dry run: nothing is created");
        return Ok(Exit::Success);
    }

    let operator = subscription::operator(&door)?;
    subscription::providers(&door)?;
    subscription::quota(&door, &args.location, &system)?;

    let ledger = Ledger::of(&args.common.out);
    let delete_after = ledger.begun(&run).map_or_else(
        || stamp::text(stamp::after(stamp::now(), args.expires_hours)),
        |entry| entry.delete_after,
    );
    ledger.planned(&run, &delete_after)?;
    deploy::group(&door, &run, &args.location, &delete_after)?;
    say(&format!(
        "group     {}, to be deleted after {delete_after}",
        run.group()
    ));

    let environment = deploy::deploy(&door, args, &run, &operator, &delete_after)?;
    environment.write(door.dir())?;
    say(&format!(
        "deployed  {} with {}",
        environment.cluster_name, environment.account_name
    ));
    images::push(&door, &environment)?;
    say(&format!("images    {}", environment.login_server));

    let kubectl = Kubectl::of(&door, &run);
    kubectl.fetch(&run)?;
    definitions(&door, &kubectl)?;
    let overlay = overlay::write(args, &environment, door.dir())?;
    overlay::apply(&door, &kubectl, &overlay)?;
    say(&format!("applied   {}", overlay.display()));
    say(&format!(
        "next      check --run {run}, and down --run {run} in the end"
    ));
    Ok(Exit::Success)
}

/// The tags of all resources, in the form of `az` arguments.
fn tags(run: &Run, delete_after: &str) -> [String; 2] {
    use crate::names::{EXPIRY_TAG, RUN_TAG};
    [
        format!("{RUN_TAG}={run}"),
        format!("{EXPIRY_TAG}={delete_after}"),
    ]
}
