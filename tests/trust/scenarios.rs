//! What must not happen to a panel that follows a feed, and the test that shows that it does not.
//!
//! The groups are those of the TUF specification (section 1.5, attacks; section 5, the client's
//! workflow), carried over to this feed's roles, with what it leaves to others: transport, sizes,
//! names, crashes, tenancy. A scenario whose test is renamed or gone fails here; what has no test yet
//! is listed as open, with the reason, and counted.

use std::{collections::BTreeSet, process::Command};

use anyhow::Result;

/// A scenario, and the tests that cover it: of this program by their path, of others by
/// `program: path`.
struct Scenario(&'static str, &'static [&'static str]);

const SCENARIOS: &[Scenario] = &[
    Scenario(
        "first sync: only what is needed, in order",
        &["honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte"],
    ),
    Scenario(
        "nothing new: one conditional request",
        &["honest::an_unchanged_feed_costs_one_conditional_request_and_changes_nothing"],
    ),
    Scenario(
        "a pinned root that is damaged, a stranger's, or another's",
        &[
            "refused::a_pinned_root_that_is_not_signed_by_its_own_keys_is_refused",
            "pinned::another_first_root_than_the_pinned_one_is_refused_and_nothing_is_kept",
            "pinned::a_root_with_the_right_fingerprint_must_be_signed_by_its_own_keys_all_the_same",
        ],
    ),
    Scenario(
        "unsigned, or signed by a key of another role",
        &[
            "refused::a_head_without_signatures",
            "refused::a_head_signed_by_the_advisory_key",
            "refused::an_advisory_signed_by_the_feed_key",
            "refused::an_advisory_signed_by_the_correction_key",
        ],
    ),
    Scenario(
        "a file under another's name",
        &[
            "refused::an_advisory_served_as_another",
            "refused::a_revision_served_as_another",
            "refused::a_signature_moved_from_another_document",
        ],
    ),
    Scenario(
        "changed without a new sequence or revision",
        &[
            "refused::a_head_of_the_same_sequence_with_another_index",
            "refused::a_head_issued_again_under_its_old_sequence",
            "refused::an_advisory_that_changed_without_a_new_revision",
        ],
    ),
    Scenario(
        "a missing artifact",
        &[
            "refused::an_advisory_that_is_not_there",
            "payload::a_payload_that_is_not_there_is_named",
        ],
    ),
    Scenario(
        "unknown extra fields",
        &["refused::unknown_fields_are_ignored_and_kept"],
    ),
    Scenario(
        "a higher schema",
        &["refused::an_advisory_of_a_higher_schema"],
    ),
    Scenario(
        "500, time-out, reset, trickle, nobody",
        &[
            "transport::a_server_that_fails_is_named",
            "transport::an_answer_that_trickles_is_given_up",
            "transport::a_server_that_says_nothing_is_given_up",
            "transport::a_connection_that_breaks_is_named",
            "transport::nobody_at_the_address_is_named",
        ],
    ),
    Scenario(
        "stored bytes are the bytes served",
        &["honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte"],
    ),
    Scenario(
        "an expired head: freeze",
        &[
            "refused::an_expired_head",
            "honest::a_stale_feed_is_believed_again_as_soon_as_there_is_a_fresh_word",
        ],
    ),
    Scenario(
        "a new root that has expired",
        &["rotation::a_new_root_that_has_expired_is_kept_and_nothing_else_moves_until_the_next"],
    ),
    Scenario(
        "local head expired, remote fresh",
        &["honest::a_stale_feed_is_believed_again_as_soon_as_there_is_a_fresh_word"],
    ),
    Scenario(
        "local root expired",
        &[
            "rotation::under_an_expired_root_an_unchanged_head_is_no_fresh_word",
            "rotation::a_new_root_that_has_expired_is_kept_and_nothing_else_moves_until_the_next",
        ],
    ),
    Scenario(
        "the clock runs backwards",
        &["honest::a_clock_that_goes_back_brings_nothing_expired_to_life"],
    ),
    Scenario(
        "lower sequence, lower revision, removed",
        &[
            "refused::a_lower_sequence_is_refused",
            "refused::an_advisory_of_a_lower_revision",
            "refused::an_advisory_removed_from_the_index",
            "refused::an_index_with_a_sequence_of_its_own",
        ],
    ),
    Scenario(
        "fast-forward, and recovery by a root",
        &["rotation::sequences_that_were_used_up_start_afresh_under_a_root_that_says_so"],
    ),
    Scenario(
        "fewer signatures than the threshold; one key twice",
        &[
            "rotation::fewer_feed_keys_than_the_threshold_are_too_few_whoever_else_signs",
            "refused::one_key_signing_nine_times_for_nobody",
        ],
    ),
    Scenario(
        "one key under two ids",
        &["rotation::one_key_under_two_ids_is_one_signer"],
    ),
    Scenario(
        "one bad signature among enough good ones",
        &["refused::one_bad_signature_among_enough_good_ones_does_no_harm"],
    ),
    Scenario(
        "a changed trusted comment",
        &["refused::a_signature_with_a_changed_trusted_comment"],
    ),
    Scenario(
        "root rotated in steps; refused without old or new keys",
        &[
            "rotation::root_keys_are_all_exchanged_in_steps",
            "rotation::a_root_that_old_or_new_keys_did_not_sign_is_refused_and_the_last_good_one_kept",
            "refused::a_root_that_is_not_signed_by_the_old_one",
            "refused::a_root_that_its_own_new_keys_did_not_sign",
        ],
    ),
    Scenario(
        "each three of five",
        &["rotation::every_three_of_five_feed_keys_are_enough"],
    ),
    Scenario(
        "a root that skips; a long chain",
        &[
            "refused::a_root_that_skips_a_version",
            "rotation::a_chain_longer_than_one_sync_walks_is_gone_on_with_by_the_next",
        ],
    ),
    Scenario(
        "keys rotated: the old ones are over, what is held stays",
        &[
            "refused::a_root_signed_by_old_and_new_keys_is_followed_and_the_old_feed_key_is_over",
            "rotation::a_key_that_was_taken_back_stays_so_even_if_the_sync_that_said_so_failed",
            "rotation::documents_held_stay_good_after_their_key_was_taken_back",
        ],
    ),
    Scenario(
        "digest or length not as announced",
        &[
            "refused::a_bit_flipped_index",
            "refused::a_bit_flipped_advisory",
            "refused::a_truncated_index",
            "refused::a_truncated_advisory",
        ],
    ),
    Scenario(
        "endless body, endless headers, a lying length",
        &[
            "transport::an_answer_without_end_is_given_up",
            "transport::headers_without_end_are_given_up",
            "transport::an_answer_that_announces_too_much_is_not_read",
        ],
    ),
    Scenario(
        "nested without end; an array of four billion",
        &[
            "refused::an_advisory_nested_ten_thousand_deep",
            "refused::an_array_that_announces_four_billion_values",
        ],
    ),
    Scenario(
        "names that lead elsewhere",
        &[
            "bundle::a_member_that_no_feed_has_makes_the_bundle_refused_by_name",
            "payload::a_link_out_of_the_folder_is_not_followed",
        ],
    ),
    Scenario(
        "redirects; mirrors that mix feeds",
        &[
            "transport::a_redirect_is_not_followed",
            "mirrors::a_mirror_that_mixes_two_feeds_is_refused_and_the_next_is_followed",
        ],
    ),
    Scenario(
        "a feed for another customer",
        &[
            "refused::a_head_for_another_audience",
            "refused::an_advisory_for_another_customer",
            "bundle::a_bundle_for_another_vendors_panels_is_refused",
        ],
    ),
    Scenario(
        "stored trust lost or damaged",
        &[
            "damaged::a_lost_feed_file_is_filled_again_from_the_pinned_root",
            "damaged::a_feed_file_that_is_no_database_is_set_aside_and_the_rest_stays",
            "damaged::a_tampered_head_is_never_believed",
            "demo: offline::trust_is_reset_only_by_a_word_and_what_was_done_here_stays",
        ],
    ),
    Scenario(
        "a bundle from the past, cut off, for another",
        &[
            "bundle::a_bundle_from_the_past_is_refused",
            "bundle::a_bundle_cut_off_anywhere_is_refused_and_shows_nothing",
        ],
    ),
    Scenario(
        "the network cut",
        &[
            "demo: offline::with_the_network_cut_a_bundle_is_imported_and_its_corrections_are_applied",
        ],
    ),
    Scenario(
        "two syncs at once",
        &["honest::two_panels_on_one_store_at_once_leave_it_whole"],
    ),
    Scenario(
        "killed at every durable step",
        &[
            "demo: offline::a_sync_that_is_killed_at_any_durable_step_leaves_the_old_state_or_the_new",
        ],
    ),
    Scenario(
        "a full disk, a read-only one",
        &[
            "demo: offline::a_full_disk_and_a_read_only_one_are_named_and_cost_nothing_that_was_there",
        ],
    ),
    Scenario(
        "a plugin that was tampered with",
        &["demo: program::a_plugin_that_was_tampered_with_is_refused_and_the_rest_goes_on"],
    ),
    Scenario(
        "the same payload twice; a download that breaks",
        &[
            "network::the_same_payload_asked_for_twice_is_fetched_once",
            "network::a_download_that_breaks_is_gone_on_with_where_it_was",
            "network::what_has_come_is_there_for_the_next_process",
            "network::a_part_of_something_else_is_thrown_away_and_never_shown",
        ],
    ),
    Scenario(
        "a legacy signature",
        &["thresholds::a_legacy_signature_by_the_right_key_is_refused"],
    ),
    Scenario(
        "two signatures by one key",
        &["thresholds::two_signatures_by_one_key_are_one"],
    ),
    Scenario(
        "thresholds raised and lowered, reached and missed",
        &[
            "thresholds::a_threshold_is_raised_from_one_to_two_of_three_and_lowered_again",
            "thresholds::a_raised_threshold_that_the_new_root_does_not_reach_is_refused",
            "thresholds::a_lowered_threshold_that_the_old_root_does_not_reach_is_refused",
            "thresholds::a_threshold_is_raised_from_one_to_both_of_two",
        ],
    ),
    Scenario(
        "unused extra signatures",
        &["thresholds::signatures_that_nobody_asked_for_do_no_harm"],
    ),
    Scenario(
        "a withdrawn advisory that comes back",
        &["refused::a_withdrawn_advisory_does_not_come_back_at_its_revision"],
    ),
    Scenario(
        "TLS failure, a certificate of another name",
        &[
            "network::a_certificate_of_an_unknown_authority_is_refused",
            "network::a_certificate_for_another_name_is_refused",
            "network::a_server_with_a_certificate_of_a_configured_authority_is_followed",
        ],
    ),
    Scenario(
        "a folder that changes while it is read",
        &["honest::a_folder_that_changes_while_it_is_read_is_followed_to_the_end"],
    ),
    Scenario(
        "two syncs at once in two processes",
        &["demo: offline::two_syncs_at_once_in_two_processes_leave_the_store_whole"],
    ),
    Scenario(
        "a compression bomb in a payload",
        &["apply: refused::a_payload_that_grows_beyond_what_was_announced"],
    ),
];

/// What has no test yet, and why.
const OPEN: &[(&str, &str)] = &[(
    "not entitled: cannot read",
    "documents are not encrypted to panels yet",
)];

fn tests_here() -> Result<BTreeSet<String>> {
    let listed = Command::new(std::env::current_exe()?)
        .args(["--list", "--format", "terse"])
        .output()?;
    let text = String::from_utf8(listed.stdout)?;
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(names.map(str::to_owned).collect())
}

/// Tests of other programs, by their names in the sources.
fn is_elsewhere(path: &str) -> bool {
    let sources = concat!(
        include_str!("../apply/refused.rs"),
        include_str!("../demo/offline.rs"),
        include_str!("../demo/program.rs")
    );
    let name = path.rsplit("::").next().unwrap_or(path);
    sources.contains(&format!("async fn {name}()"))
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the count is for whoever runs the tests"
)]
fn every_scenario_has_the_tests_that_it_names() -> Result<()> {
    let here = tests_here()?;
    assert!(here.len() > 50, "the tests of this program were listed");
    let mut gaps = Vec::new();
    for Scenario(scenario, tests) in SCENARIOS {
        assert!(!tests.is_empty(), "{scenario} names no test");
        for test in *tests {
            let there = match test.split_once(": ") {
                Some((_, path)) => is_elsewhere(path),
                None => here.contains(*test),
            };
            if !there {
                gaps.push(format!("{scenario}: {test} is not there"));
            }
        }
    }
    println!(
        "{} of {} scenarios have their tests; open:",
        SCENARIOS.len(),
        SCENARIOS.len() + OPEN.len()
    );
    for (scenario, reason) in OPEN {
        println!("  {scenario}: {reason}");
    }
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
    Ok(())
}
