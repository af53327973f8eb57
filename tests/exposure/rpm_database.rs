//! A database of RPM packages with one package, as rpm's `ndb` writes it.

/// `RPMTAG_NAME`, `…VERSION`, `…RELEASE` and `…VENDOR`, and what a text is.
const TAGS: [u32; 4] = [1000, 1001, 1002, 1011];
const STRING: u32 = 6;

const PAGE: usize = 4096;

/// The bytes of `Packages.db`.
pub(crate) fn with_package(name: &str, version: &str, vendor: &str) -> Vec<u8> {
    let header = header([name, version, "1", vendor]);
    let length = u32::try_from(header.len()).unwrap();
    let mut blob = [&b"BlbS"[..], &numbers(&[1, 0, length]), &header].concat();
    let whole = (blob.len() + 12).next_multiple_of(16);
    blob.resize(whole - 12, 0);
    let sum = adler_32(&blob);
    blob.extend(numbers(&[sum, length]));
    blob.extend(b"BlbE");
    let blocks = u32::try_from(whole / 16).unwrap();
    let first = u32::try_from(PAGE / 16).unwrap();
    let mut file = [&b"RpmP"[..], &numbers(&[0, 1, 1, 2, 0, 0, 0])].concat();
    file.extend(b"Slot");
    file.extend(numbers(&[1, first, blocks]));
    while file.len() < PAGE {
        file.extend(b"Slot");
        file.extend([0; 12]);
    }
    file.extend(blob);
    file
}

fn header(texts: [&str; 4]) -> Vec<u8> {
    let (mut index, mut values) = (Vec::new(), Vec::new());
    for (tag, text) in TAGS.into_iter().zip(texts) {
        let at = u32::try_from(values.len()).unwrap();
        index.extend([tag, STRING, at, 1].map(u32::to_be_bytes).concat());
        values.extend(text.bytes().chain([0]));
    }
    let counts = [TAGS.len(), values.len()].map(|count| u32::try_from(count).unwrap());
    [counts.map(u32::to_be_bytes).concat(), index, values].concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

/// RFC 1950.
fn adler_32(bytes: &[u8]) -> u32 {
    let sums = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    sums.1 << 16 | sums.0
}
