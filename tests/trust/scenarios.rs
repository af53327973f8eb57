//! What must not happen to a panel that follows a feed, and the test that shows that it does not.
//!
//! The groups are those of the TUF specification (section 1.5, attacks; section 5, the client's
//! workflow), carried over to this feed's roles, with what it leaves to others: transport, sizes,
//! names, crashes, tenancy. A scenario whose test is renamed or gone fails here; what has no test yet
//! is listed as open, with the reason, and counted.

use std::{collections::BTreeSet, process::Command};

use anyhow::Result;

/// What must not happen, and the tests that show that it does not: of this program by their path, of
/// others by `program: path`.
struct Scenario {
    group: &'static str,
    what: &'static str,
    tests: &'static [&'static str],
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        group: "first steps",
        what: "the first sync from a pinned root asks only for what it needs, in order",
        tests: &["honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte"],
    },
    Scenario {
        group: "first steps",
        what: "a sync with nothing new is one conditional request",
        tests: &["honest::an_unchanged_feed_costs_one_conditional_request_and_changes_nothing"],
    },
    Scenario {
        group: "first steps",
        what: "a pinned root that is damaged, not signed by its own keys, of another kind, or another one",
        tests: &[
            "refused::a_pinned_root_that_is_not_signed_by_its_own_keys_is_refused",
            "pinned::another_first_root_than_the_pinned_one_is_refused_and_nothing_is_kept",
            "pinned::a_root_with_the_right_fingerprint_must_be_signed_by_its_own_keys_all_the_same",
            "pinned::a_pin_that_was_exchanged_is_not_mixed_with_what_was_trusted_before",
        ],
    },
    Scenario {
        group: "first steps",
        what: "root, head, index, advisory, correction: unsigned, or signed by a key of another role",
        tests: &[
            "roles::whatever_nobody_signed_is_refused",
            "roles::of_every_role_no_key_of_another_role_signs",
            "refused::a_head_without_signatures",
            "refused::a_head_signed_by_the_advisory_key",
            "refused::an_advisory_signed_by_the_feed_key",
            "refused::an_advisory_signed_by_the_correction_key",
        ],
    },
    Scenario {
        group: "first steps",
        what: "a file of the right role under another's name",
        tests: &[
            "refused::an_advisory_served_as_another",
            "refused::a_revision_served_as_another",
            "refused::a_signature_moved_from_another_document",
        ],
    },
    Scenario {
        group: "first steps",
        what: "a head without a new sequence, a document without a new revision",
        tests: &[
            "refused::a_head_of_the_same_sequence_with_another_index",
            "refused::a_head_issued_again_under_its_old_sequence",
            "refused::an_advisory_that_changed_without_a_new_revision",
        ],
    },
    Scenario {
        group: "first steps",
        what: "something is asked for that is not there",
        tests: &[
            "demo: offline::what_nobody_has_heard_of_is_looked_for_in_the_feed_before_the_error_names_it",
            "refused::an_advisory_that_is_not_there",
            "payload::a_payload_that_is_not_there_is_named",
        ],
    },
    Scenario {
        group: "first steps",
        what: "the same payload asked for twice",
        tests: &[
            "network::the_same_payload_asked_for_twice_is_fetched_once",
            "network::two_at_once_fetch_a_payload_once",
        ],
    },
    Scenario {
        group: "first steps",
        what: "unknown fields in every document",
        tests: &["refused::unknown_fields_of_every_document_are_ignored_and_kept"],
    },
    Scenario {
        group: "first steps",
        what: "a higher schema",
        tests: &["refused::an_advisory_of_a_higher_schema"],
    },
    Scenario {
        group: "first steps",
        what: "any file answers 404, 500, nothing, in drops, or breaks; a root that does not exist yet",
        tests: &[
            "answers::a_file_that_is_not_there_is_named",
            "answers::a_file_that_the_server_fails_to_give_is_named",
            "answers::a_file_that_never_comes_is_given_up",
            "answers::a_file_that_trickles_is_given_up",
            "answers::a_file_whose_connection_breaks_every_time_is_named",
            "answers::without_a_next_root_the_last_one_stays",
            "transport::nobody_at_the_address_is_named",
        ],
    },
    Scenario {
        group: "first steps",
        what: "the bytes stored are the bytes served",
        tests: &[
            "honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte",
            "refused::unknown_fields_of_every_document_are_ignored_and_kept",
        ],
    },
    Scenario {
        group: "expiry",
        what: "an expired head",
        tests: &[
            "refused::an_expired_head",
            "honest::a_stale_feed_is_believed_again_as_soon_as_there_is_a_fresh_word",
            "procedure: ceremony::status_warns_before_panels_notice",
        ],
    },
    Scenario {
        group: "expiry",
        what: "a new root that has itself expired",
        tests: &[
            "rotation::a_new_root_that_has_expired_is_kept_and_nothing_else_moves_until_the_next",
            "honest::what_is_known_is_good_for_no_longer_than_the_root_above_it",
        ],
    },
    Scenario {
        group: "expiry",
        what: "what is here has expired, what comes is fresh",
        tests: &["honest::a_stale_feed_is_believed_again_as_soon_as_there_is_a_fresh_word"],
    },
    Scenario {
        group: "expiry",
        what: "the root that is here has expired, and the chain leads to a fresh one",
        tests: &["rotation::under_an_expired_root_an_unchanged_head_is_no_fresh_word"],
    },
    Scenario {
        group: "expiry",
        what: "the clock goes back, or jumps a year",
        tests: &[
            "honest::a_clock_that_goes_back_brings_nothing_expired_to_life",
            "honest::a_head_that_was_seen_expired_stays_so_until_the_vendors_next_however_the_clock_goes",
            "honest::a_clock_that_jumps_a_year_and_comes_back_leaves_the_panel_as_it_was",
        ],
    },
    Scenario {
        group: "rollback",
        what: "a lower sequence, an index of another, a lower revision, an advisory that is gone",
        tests: &[
            "refused::a_lower_sequence_is_refused",
            "refused::an_index_with_a_sequence_of_its_own",
            "refused::an_advisory_of_a_lower_revision",
            "refused::an_advisory_removed_from_the_index",
        ],
    },
    Scenario {
        group: "rollback",
        what: "sequences used up, and a root that starts afresh",
        tests: &["rotation::sequences_that_were_used_up_start_afresh_under_a_root_that_says_so"],
    },
    Scenario {
        group: "rollback",
        what: "a withdrawn advisory comes back",
        tests: &["refused::a_withdrawn_advisory_does_not_come_back_at_its_revision"],
    },
    Scenario {
        group: "keys",
        what: "fewer signatures than the threshold",
        tests: &[
            "roles::of_every_role_two_of_five_are_too_few_whoever_else_signs",
            "rotation::fewer_feed_keys_than_the_threshold_are_too_few_whoever_else_signs",
        ],
    },
    Scenario {
        group: "keys",
        what: "more keys demanded than there are, or none",
        tests: &[
            "roles::a_root_that_demands_more_keys_than_there_are_is_refused",
            "roles::a_root_that_demands_no_signature_is_refused",
        ],
    },
    Scenario {
        group: "keys",
        what: "one key nine times, or under two ids",
        tests: &[
            "roles::a_root_that_lists_one_key_nine_times_is_refused",
            "rotation::one_key_under_two_ids_is_one_signer",
            "refused::one_key_signing_nine_times_for_nobody",
        ],
    },
    Scenario {
        group: "keys",
        what: "two signatures by one key",
        tests: &["thresholds::two_signatures_by_one_key_are_one"],
    },
    Scenario {
        group: "keys",
        what: "one bad signature among enough good ones",
        tests: &["refused::one_bad_signature_among_enough_good_ones_does_no_harm"],
    },
    Scenario {
        group: "keys",
        what: "a legacy signature",
        tests: &["thresholds::a_legacy_signature_by_the_right_key_is_refused"],
    },
    Scenario {
        group: "keys",
        what: "a changed trusted comment",
        tests: &["refused::a_signature_with_a_changed_trusted_comment"],
    },
    Scenario {
        group: "rotation",
        what: "roots that are followed: one key, three of five, one of five exchanged, all of them, thresholds up and down, signatures too many",
        tests: &[
            "refused::a_root_signed_by_old_and_new_keys_is_followed_and_the_old_feed_key_is_over",
            "roles::a_root_of_three_of_five_is_signed_by_any_three",
            "roles::one_root_key_of_five_is_exchanged_at_once_or_with_a_step_between",
            "rotation::root_keys_are_all_exchanged_in_steps",
            "thresholds::a_threshold_is_raised_from_one_to_two_of_three_and_lowered_again",
            "thresholds::a_threshold_is_raised_from_one_to_both_of_two",
            "thresholds::signatures_that_nobody_asked_for_do_no_harm",
        ],
    },
    Scenario {
        group: "rotation",
        what: "roots that are not: without the old keys, without the new, too few of either, thresholds not reached",
        tests: &[
            "rotation::a_root_that_old_or_new_keys_did_not_sign_is_refused_and_the_last_good_one_kept",
            "roles::one_root_key_of_five_is_exchanged_at_once_or_with_a_step_between",
            "refused::a_root_that_is_not_signed_by_the_old_one",
            "refused::a_root_that_its_own_new_keys_did_not_sign",
            "thresholds::a_raised_threshold_that_the_new_root_does_not_reach_is_refused",
            "thresholds::a_lowered_threshold_that_the_old_root_does_not_reach_is_refused",
        ],
    },
    Scenario {
        group: "rotation",
        what: "every other role: exchanged, with signatures too many, by the old key, three of five and fewer",
        tests: &[
            "roles::of_every_role_a_new_key_signs_and_the_old_one_no_longer_does",
            "roles::of_every_role_signatures_that_nobody_asked_for_do_no_harm",
            "roles::of_every_role_each_three_of_five_are_enough",
            "roles::of_every_role_two_of_five_are_too_few_whoever_else_signs",
            "rotation::every_three_of_five_feed_keys_are_enough",
        ],
    },
    Scenario {
        group: "rotation",
        what: "a root that skips or goes back; a chain of ten thousand",
        tests: &[
            "refused::a_root_that_skips_a_version",
            "answers::a_root_that_goes_back_is_refused",
            "rotation::a_chain_longer_than_one_sync_walks_is_gone_on_with_by_the_next",
            "chain::ten_thousand_roots_are_walked_in_bounded_steps",
        ],
    },
    Scenario {
        group: "rotation",
        what: "keys exchanged: old ones are over, what is held stays",
        tests: &[
            "rotation::a_key_that_was_taken_back_stays_so_even_if_the_sync_that_said_so_failed",
            "rotation::documents_held_stay_good_after_their_key_was_taken_back",
        ],
    },
    Scenario {
        group: "digests",
        what: "other bytes than announced; two documents swapped",
        tests: &[
            "refused::a_bit_flipped_index",
            "refused::a_bit_flipped_advisory",
            "refused::a_truncated_index",
            "refused::a_truncated_advisory",
            "refused::two_documents_in_each_others_place_are_refused",
        ],
    },
    Scenario {
        group: "size",
        what: "bodies and headers without end, lengths that lie, bombs, depths, four billion values",
        tests: &[
            "transport::an_answer_without_end_is_given_up",
            "transport::headers_without_end_are_given_up",
            "transport::an_answer_that_announces_too_much_is_not_read",
            "apply: refused::a_payload_that_grows_beyond_what_was_announced",
            "refused::an_advisory_nested_ten_thousand_deep",
            "refused::an_array_that_announces_four_billion_values",
            "objects::an_object_without_end_is_given_up",
            "objects::an_error_without_end_is_read_only_so_far",
            "thresholds::of_a_signature_file_that_was_padded_only_what_counted_is_kept",
        ],
    },
    Scenario {
        group: "names",
        what: "names that lead elsewhere, in ids, paths and payloads",
        tests: &[
            "names::a_path_of_a_correction_that_leads_elsewhere",
            "names::two_paths_that_some_file_systems_take_for_one",
            "names::an_id_that_leads_elsewhere",
            "names::a_component_whose_name_leads_elsewhere",
            "names::an_index_whose_ids_lead_elsewhere",
            "bundle::a_member_that_no_feed_has_makes_the_bundle_refused_by_name",
            "payload::a_link_out_of_the_folder_is_not_followed",
        ],
    },
    Scenario {
        group: "size",
        what: "what changed instead of the whole index: wrong, forged, old, cut, endless, unsigned, missing",
        tests: &[
            "delta::one_new_advisory_costs_what_changed_and_not_the_index",
            "delta::a_delta_that_does_not_come_is_done_without",
            "delta::a_delta_longer_than_half_an_index_is_not_read",
            "delta::bytes_that_are_no_delta",
            "delta::a_delta_from_another_index",
            "delta::a_delta_that_adds_what_nobody_signed",
            "delta::a_delta_that_exchanges_a_document_for_another",
            "delta::a_delta_that_holds_the_news_back",
            "delta::a_delta_with_any_bit_flipped_leads_to_the_whole_index",
            "delta::a_delta_without_the_signatures_of_the_later_index",
            "delta::an_index_that_the_vendor_itself_made_wrong_is_refused_by_delta_and_whole",
            "delta::a_feed_that_starts_afresh_is_not_followed_by_what_changed",
        ],
    },
    Scenario {
        group: "transport",
        what: "redirects, TLS failures, mirrors that mix feeds, folders that change while they are read",
        tests: &[
            "transport::a_redirect_is_not_followed",
            "objects::a_store_that_sends_elsewhere_is_not_followed_there",
            "network::a_certificate_of_an_unknown_authority_is_refused",
            "network::a_certificate_for_another_name_is_refused",
            "mirrors::a_mirror_that_mixes_two_feeds_is_refused_and_the_next_is_followed",
            "honest::a_folder_that_changes_while_it_is_read_is_followed_to_the_end",
        ],
    },
    Scenario {
        group: "transport",
        what: "mirrors that hold the news back: by what they call a head, by standing still, by giving a byte now and then",
        tests: &[
            "mirrors::a_tag_that_stands_for_any_or_for_several_keeps_no_later_news_back",
            "mirrors::what_one_mirror_says_of_a_head_is_never_said_to_another",
            "mirrors::each_mirror_is_asked_with_its_own_words_and_those_of_former_mirrors_are_forgotten",
            "mirrors::a_mirror_that_stands_still_at_what_the_panel_has_keeps_no_news_back",
            "mirrors::where_one_mirror_has_nothing_new_what_ails_the_others_is_no_incident",
            "mirrors::there_is_no_fresh_word_since_the_vendor_signed_the_last_whoever_repeats_it",
            "kept::a_place_that_gives_a_byte_now_and_then_is_left_for_the_next_which_goes_on_from_there",
        ],
    },
    Scenario {
        group: "size",
        what: "what is kept of payloads and told of refusals: within bounds, whoever comes at once and however often",
        tests: &[
            "kept::the_oldest_payload_makes_room_for_another",
            "kept::a_download_that_is_under_way_makes_room_for_nobody",
            "kept::two_downloads_that_begin_at_once_do_not_take_the_same_room",
            "kept::what_is_wanted_together_makes_no_room_for_one_of_its_own",
            "damaged::what_happens_again_after_something_else_is_one_incident_still_and_the_newest",
            "damaged::a_flood_of_refusals_washes_away_nothing_but_refusals",
        ],
    },
    Scenario {
        group: "tenancy",
        what: "a feed or a document for another customer",
        tests: &[
            "refused::a_head_for_another_audience",
            "refused::an_advisory_for_another_customer",
            "bundle::a_bundle_for_another_vendors_panels_is_refused",
        ],
    },
    Scenario {
        group: "private",
        what: "a panel that is not entitled cannot read, and learns nothing",
        tests: &[
            "private::entitled::two_entitled_panels_read_what_a_third_learns_nothing_of",
            "private::entitled::nothing_in_the_feed_says_what_is_under_embargo",
            "private::entitled::how_many_panels_there_are_does_not_show",
            "private::entitled::a_revoked_panel_reads_nothing_new_and_keeps_what_it_has",
            "private::entitled::a_panel_that_lost_its_identity_reads_again_once_it_was_enrolled_anew",
            "private::entitled::what_was_signed_by_mistake_is_nowhere_in_the_feed_before_its_broadcast",
            "private::hostile::what_is_under_embargo_is_refused_where_everybody_could_read_it",
        ],
    },
    Scenario {
        group: "private",
        what: "a broadcast for another panel, altered, or replayed",
        tests: &[
            "refused::an_advisory_for_another_customer",
            "private::hostile::an_envelope_that_was_made_for_another_panel_is_refused_by_name",
            "private::hostile::an_altered_or_cut_off_bucket_index_or_document_is_refused",
            "private::hostile::a_broadcast_that_is_replayed_is_a_rollback",
            "private::hostile::an_older_private_side_under_a_newer_head_is_a_rollback",
            "private::hostile::a_document_that_vanishes_from_the_private_side_is_missed",
            "private::hostile::a_private_document_that_changed_in_silence_is_refused",
            "private::hostile::a_sealed_document_is_verified_as_a_plain_one_is",
            "private::hostile::limits_of_the_private_side_are_kept_before_anything_is_fetched",
            "private::hostile::a_bucket_that_is_none_is_refused",
            "private::hostile::a_sealed_index_that_is_none_is_refused",
        ],
    },
    Scenario {
        group: "private",
        what: "a private document after its disclosure",
        tests: &[
            "private::entitled::after_its_disclosure_everybody_has_the_next_revision",
            "private::hostile::what_was_disclosed_does_not_go_back_under_embargo",
            "private::hostile::a_document_on_both_sides_is_refused",
            "refused::what_was_private_does_not_come_back_after_it_was_disclosed",
        ],
    },
    Scenario {
        group: "recovery",
        what: "stored trust is lost or damaged; trust reset",
        tests: &[
            "damaged::a_lost_feed_file_is_filled_again_from_the_pinned_root",
            "damaged::a_feed_file_that_is_no_database_is_set_aside_and_the_rest_stays",
            "damaged::a_tampered_head_is_never_believed",
            "damaged::a_root_that_was_slipped_into_the_store_is_not_believed",
            "damaged::trust_that_is_reset_while_another_process_reads_it_is_not_taken_for_damage",
            "demo: offline::trust_is_reset_only_by_a_word_and_what_was_done_here_stays",
        ],
    },
    Scenario {
        group: "offline",
        what: "import with the network cut",
        tests: &[
            "demo: offline::with_the_network_cut_a_bundle_is_imported_and_its_corrections_are_applied",
            "demo: offline::an_import_puts_damaged_payloads_right_and_clears_away_the_others_first",
        ],
    },
    Scenario {
        group: "offline",
        what: "a bundle from the future, from the past, cut off, for another panel",
        tests: &[
            "bundle::after_a_bundle_from_the_future_the_feed_has_to_catch_up",
            "bundle::a_bundle_from_the_past_is_refused",
            "bundle::a_bundle_cut_off_anywhere_is_refused_and_shows_nothing",
            "bundle::a_bundle_for_another_vendors_panels_is_refused",
        ],
    },
    Scenario {
        group: "concurrency",
        what: "two syncs at once, in one process and in two",
        tests: &[
            "honest::two_panels_on_one_store_at_once_leave_it_whole",
            "demo: offline::two_syncs_at_once_in_two_processes_leave_the_store_whole",
        ],
    },
    Scenario {
        group: "crash",
        what: "killed at every durable step; a full disk, a read-only one",
        tests: &[
            "demo: offline::a_sync_that_is_killed_at_any_durable_step_leaves_the_old_state_or_the_new",
            "demo: offline::a_full_disk_and_a_read_only_one_are_named_and_cost_nothing_that_was_there",
            "damaged::a_sync_that_was_cut_off_is_gone_on_with_and_shows_nothing_before_it_is_whole",
        ],
    },
    Scenario {
        group: "plugin",
        what: "unsigned, by another role, older, or with imports beyond the contract",
        tests: &[
            "demo: program::a_plugin_that_was_tampered_with_is_refused_and_the_rest_goes_on",
            "roles::of_every_role_no_key_of_another_role_signs",
            "limits: manifest::only_what_the_plugin_key_signed_is_believed",
            "limits: manifest::an_import_beyond_the_contract_is_refused_by_name",
        ],
    },
];

/// What has no test yet, and why.
const OPEN: &[(&str, &str)] = &[];

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
        include_str!("../demo/program.rs"),
        include_str!("../limits/manifest.rs"),
        include_str!("../procedure/ceremony.rs")
    );
    let name = path.rsplit("::").next().unwrap_or(path);
    sources.contains(&format!("fn {name}()"))
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
    for Scenario { group, what, tests } in SCENARIOS {
        assert!(!tests.is_empty(), "{group}: {what} has no test");
        for test in *tests {
            let there = match test.split_once(": ") {
                Some((_, path)) => is_elsewhere(path),
                None => here.contains(*test),
            };
            if !there {
                gaps.push(format!("{group}: {what}: {test} is not there"));
            }
        }
    }
    println!(
        "{} of {} scenarios have their tests ({} tests); open:",
        SCENARIOS.len(),
        SCENARIOS.len() + OPEN.len(),
        SCENARIOS.iter().map(|one| one.tests.len()).sum::<usize>()
    );
    for (scenario, reason) in OPEN {
        println!("  {scenario}: {reason}");
    }
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
    Ok(())
}
