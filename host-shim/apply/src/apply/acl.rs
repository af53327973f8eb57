//! Access control lists (acl(5)), as the kernel keeps them in extended attributes.
//!
//! A list that names somebody has a mask, and the mode of its file shows that mask where the bits of the
//! owning group are expected. Pure: nothing here looks at a disk.

/// The attribute with the list that counts.
pub(super) const ACCESS: &str = "system.posix_acl_access";
/// The attribute of a folder with the list that new files in it get.
pub(super) const DEFAULT: &str = "system.posix_acl_default";

/// The version, 4 bytes (`linux/posix_acl_xattr.h`).
const HEADER: usize = 4;
/// Tag and permissions, 2 bytes each, and whom the entry names, 4 bytes; all little-endian.
const ENTRY: usize = 8;

const OWNER: u16 = 0x01;
const OWNING_GROUP: u16 = 0x04;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;

/// The list with the permissions of `mode` for owner, owning group and others; named entries and the mask stay as they
/// are. None if the list says no more than a mode does.
pub(super) fn with_mode(list: &[u8], mode: u32) -> Option<Vec<u8>> {
    let mut changed = with_mask(list)?.to_owned();
    for entry in changed[HEADER..].chunks_exact_mut(ENTRY) {
        if let Some(shift) = shift(tag(entry)) {
            entry[2] = u8::try_from(mode >> shift & 7).unwrap_or_default();
        }
    }
    Some(changed)
}

/// The mode that a list gives owner, owning group and others. None if the list says no more than the
/// file's own mode does.
pub(super) fn mode_of(list: &[u8]) -> Option<u32> {
    let entries = with_mask(list)?[HEADER..].chunks_exact(ENTRY);
    let bits = entries.filter_map(|entry| Some(u32::from(entry[2] & 7) << shift(tag(entry))?));
    Some(bits.fold(0, |mode, bits| mode | bits))
}

/// The list, if it has a mask.
fn with_mask(list: &[u8]) -> Option<&[u8]> {
    let mut entries = list.get(HEADER..)?.chunks_exact(ENTRY);
    entries.any(|entry| tag(entry) == MASK).then_some(list)
}

fn tag(entry: &[u8]) -> u16 {
    u16::from_le_bytes([entry[0], entry[1]])
}

/// Where the bits of an entry are in a mode.
fn shift(tag: u16) -> Option<u32> {
    match tag {
        OWNER => Some(6),
        OWNING_GROUP => Some(3),
        OTHERS => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(u16, u8)]) -> Vec<u8> {
        let mut list = vec![2, 0, 0, 0];
        for (tag, bits) in entries {
            list.extend(tag.to_le_bytes());
            list.extend([*bits, 0, 1, 2, 3, 4]);
        }
        list
    }

    /// Somebody who is named.
    const USER: u16 = 0x02;

    #[test]
    fn a_mode_changes_owner_owning_group_and_others_and_neither_mask_nor_names() {
        let before = list(&[
            (OWNER, 6),
            (USER, 6),
            (OWNING_GROUP, 4),
            (MASK, 6),
            (OTHERS, 4),
        ]);
        let after = list(&[
            (OWNER, 7),
            (USER, 6),
            (OWNING_GROUP, 5),
            (MASK, 6),
            (OTHERS, 0),
        ]);
        assert_eq!(with_mode(&before, 0o750), Some(after.clone()));
        assert_eq!(mode_of(&after), Some(0o750));
    }

    #[test]
    fn a_list_without_a_mask_or_cut_short_is_none_to_keep() {
        let plain = list(&[(OWNER, 6), (OWNING_GROUP, 4), (OTHERS, 4)]);
        for list in [plain.as_slice(), &[], &[2, 0], &[2, 0, 0, 0, 0x10, 0]] {
            assert_eq!(with_mode(list, 0o600), None);
            assert_eq!(mode_of(list), None);
        }
    }
}
