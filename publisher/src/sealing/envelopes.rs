//! The key to a broadcast in an envelope for each panel, among others that are for nobody.

use std::thread;

use age::{Recipient as _, x25519};
use age_core::format::FileKey;
use data_encoding::BASE64_NOPAD;
use spacecp_contract::{
    ObjectKey,
    envelope::{self, ENVELOPE, Tag},
};

use super::SealError;

/// An envelope at its place.
type Record = (Tag, [u8; ENVELOPE]);

/// Tries with another nonce, where two envelopes have one place; chance never needs a second.
const TRIES: usize = 4;

/// The buckets of a broadcast, and the nonce by which they are found.
pub(super) struct Envelopes {
    pub(super) nonce: [u8; 16],
    pub(super) buckets: Vec<Vec<u8>>,
}

/// Puts the key into an envelope for each of these panels, and fills up with envelopes that are made in the
/// same way, for identities that are forgotten at once: nothing tells one from the other.
pub(super) fn address(
    panels: &[x25519::Recipient],
    key: &ObjectKey,
) -> Result<Envelopes, SealError> {
    let all = envelope::envelopes(panels.len());
    for _ in 0..TRIES {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| SealError::Randomness(error.to_string()))?;
        let mut records = in_parallel(panels, |panel| for_panel(panel, &nonce, key))?;
        let nobodies: Vec<()> = vec![(); all - panels.len()];
        records.extend(in_parallel(&nobodies, |()| for_nobody(&nonce))?);
        records.sort_unstable();
        if records.windows(2).all(|pair| pair[0].0 != pair[1].0) {
            let buckets = envelope::cut(&records, envelope::buckets(all));
            return Ok(Envelopes { nonce, buckets });
        }
    }
    Err(SealError::Places)
}

fn for_panel(
    panel: &x25519::Recipient,
    nonce: &[u8; 16],
    key: &ObjectKey,
) -> Result<Record, SealError> {
    let file_key = FileKey::init_with_mut(|bytes| bytes.copy_from_slice(key.as_bytes()));
    let wrapped = panel.wrap_file_key(&file_key);
    let (stanzas, _) = wrapped.map_err(|error| SealError::Envelope(error.to_string()))?;
    let strange = || SealError::Envelope("unexpected stanza from age".to_owned());
    let [stanza] = stanzas.as_slice() else {
        return Err(strange());
    };
    let [share] = stanza.args.as_slice() else {
        return Err(strange());
    };
    let share = BASE64_NOPAD.decode(share.as_bytes());
    let envelope = [share.map_err(|_| strange())?, stanza.body.clone()].concat();
    let envelope = envelope.try_into().map_err(|_| strange())?;
    Ok((Tag::of(nonce, &panel.to_string()), envelope))
}

fn for_nobody(nonce: &[u8; 16]) -> Result<Record, SealError> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|error| SealError::Randomness(error.to_string()))?;
    let nobody = x25519::Identity::generate().to_public();
    for_panel(&nobody, nonce, &ObjectKey::from_bytes(key))
}

/// Makes an envelope for each, on as many cores as there are.
fn in_parallel<T: Sync>(
    all: &[T],
    make: impl Fn(&T) -> Result<Record, SealError> + Sync,
) -> Result<Vec<Record>, SealError> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(threads).max(1);
    let make = &make;
    thread::scope(|scope| {
        let working: Vec<_> = all
            .chunks(share)
            .map(|some| scope.spawn(move || some.iter().map(make).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut records = Vec::with_capacity(all.len());
        for worker in working {
            match worker.join() {
                Ok(made) => records.extend(made?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(records)
    })
}
