//! What must not happen to a panel that follows a feed, and the test that shows that it does not.
//!
//! The groups are those of the TUF specification (section 1.5, attacks; section 5, the client's
//! workflow), carried over to this feed's roles, with what it leaves to others: transport, sizes,
//! names, crashes, tenancy. A scenario whose test is renamed or gone fails here; what has no test yet
//! is listed as open, with the reason, and counted.
//!
//! A second table has every case of the public conformance suite of TUF with its counterparts here, or why it
//! has none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result};
use walkdir::WalkDir;

/// What must not happen, and the tests that show that it does not: of this program by their path, of other
/// programs and crates by `program: path`.
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
            "clock::a_root_that_was_seen_expired_verifies_its_successor_and_nothing_else",
            "clock::a_pinned_root_that_was_seen_expired_before_the_first_sync_stays_so",
            "clock::a_root_expires_at_its_very_moment_and_is_remembered_from_then_on",
            "clock::a_head_that_is_older_than_one_seen_expired_is_not_believed_either",
            "clock::what_was_seen_expired_outlives_the_process_and_what_is_stored_of_the_feed",
            "times::of_heads_seen_expired_only_a_later_one_or_another_of_the_same_sequence_is_believed",
        ],
    },
    Scenario {
        group: "time",
        what: "the way out after a clock that was ahead once",
        tests: &[
            "clock::a_root_that_was_seen_expired_verifies_its_successor_and_nothing_else",
            "clock::after_a_false_jump_the_clock_memory_can_be_reset_and_the_feed_is_followed_again",
            "clock::resetting_the_clock_memory_forgets_nothing_that_the_clock_has_reached",
            "pages: clock::what_a_clock_that_was_ahead_saw_expire_is_forgotten_only_by_a_word_that_is_recorded",
            "pages: clock::a_clock_that_is_not_behind_what_is_remembered_cannot_be_reset",
            "pages: clock::the_doctor_tells_a_clock_that_was_ahead_from_a_feed_that_is_stale",
        ],
    },
    Scenario {
        group: "time",
        what: "a head or a root with a lifetime of years, or issued in the future",
        tests: &[
            "refused::a_head_with_a_lifetime_of_years",
            "refused::a_head_issued_years_ahead",
            "times::a_head_may_live_for_as_long_as_its_root_says_and_not_a_moment_longer",
            "times::a_head_may_be_issued_as_far_ahead_as_its_root_says_and_not_a_moment_further",
            "times::no_root_lives_for_more_than_ten_years_whatever_it_says",
            "times::a_root_may_be_issued_as_far_ahead_as_it_says_and_not_a_moment_further",
            "clock::a_new_root_from_the_future_is_kept_and_nothing_else_moves_until_the_next",
            "clock::a_root_that_sets_closer_bounds_ends_a_head_that_is_held",
        ],
    },
    Scenario {
        group: "time",
        what: "the very moment at which a root or a head expires",
        tests: &[
            "times::a_head_is_good_until_the_very_moment_at_which_it_expires",
            "times::a_root_is_good_until_the_very_moment_at_which_it_expires",
            "times::what_is_trusted_is_fresh_until_head_or_root_expires_and_not_at_that_moment",
        ],
    },
    Scenario {
        group: "slow retrieval",
        what: "every file just within its own limit, thousands of them",
        tests: &[
            "slow::a_mirror_that_holds_a_sync_up_is_left_for_the_next_and_that_is_noted",
            "slow::what_a_slow_mirror_gave_is_kept_until_all_of_it_has_come",
            "slow::a_mirror_that_never_answers_costs_no_more_than_a_sync_may_take",
            "slow_payloads::a_mirror_that_is_slow_with_each_payload_has_one_time_limit_for_all_of_them",
            "slow_payloads::a_mirror_that_failed_is_asked_last_for_the_payloads_that_follow",
            "slow_payloads::a_mirror_whose_time_is_over_is_not_asked_again_in_that_run_and_is_in_the_next",
            "slow_payloads::where_no_mirror_delivers_each_is_named_with_its_reason",
            "apply: slow_feed::what_is_verified_is_applied_while_the_feed_does_not_answer",
            "apply: slow_feed::what_a_sync_brings_after_all_is_applied_by_the_command_that_began_it",
        ],
    },
    Scenario {
        group: "transport",
        what: "an object store that lies about objects, lengths, changes and parts",
        tests: &[
            "lying_stores::another_object_in_the_place_of_the_one_asked_for_is_refused",
            "lying_stores::an_object_that_was_cut_is_refused",
            "lying_stores::an_object_with_another_length_than_it_says_is_refused",
            "lying_stores::a_head_of_yesterday_is_refused_once_a_newer_one_was_read",
            "lying_stores::a_head_of_today_with_what_lay_there_yesterday_is_refused",
            "lying_stores::a_store_that_says_unchanged_without_being_asked_is_refused",
            "lying_stores::another_part_of_a_payload_than_the_one_asked_for_is_never_put_behind_the_first",
            "lying_stores::an_honest_store_is_never_asked_what_it_lists",
        ],
    },
    Scenario {
        group: "transport",
        what: "somebody in the middle of TLS",
        tests: &[
            "network::a_certificate_of_an_unknown_authority_is_refused",
            "network::an_authority_that_is_not_trusted_vouches_for_nobody_though_another_one_is",
            "network::a_certificate_for_another_name_is_refused",
            "network::a_certificate_that_has_expired_or_is_not_good_yet_is_refused",
            "network::a_server_that_speaks_no_tls_is_not_heard_at_an_https_address",
            "proxies::a_proxy_that_puts_itself_in_the_servers_place_is_refused",
            "proxies::a_proxy_that_takes_tls_away_is_refused",
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
        group: "recovery from stolen keys",
        what: "what only a thief listed, public or sealed, after a root that starts afresh",
        tests: &[
            "recovery::after::what_only_the_thief_listed_on_either_side_is_gone_from_every_table",
            "recovery::after::the_broadcasts_after_a_recovery_are_taken",
            "recovery::after::from_the_root_that_starts_afresh_on_nothing_is_given_out_until_the_vendor_broadcasts",
            "recovery::after::a_document_that_the_thief_dropped_or_changed_in_silence_is_the_vendors_again",
            "recovery::after::a_panel_that_cannot_read_the_sealed_side_after_a_recovery_holds_nothing_of_it",
            "recovery::after::readers_of_the_stream_of_documents_are_told_to_begin_again",
            "recovery::after::what_another_process_still_fetches_by_the_old_root_is_not_put_by",
            "recovery::epochs::nothing_is_given_out_that_is_not_listed_and_after_a_recovery_the_vendor_is_followed",
            "apply: stolen::recovered::a_thiefs_correction_is_neither_planned_nor_applied",
            "apply: stolen::recovered::a_correction_that_is_being_applied_while_the_recovery_comes_is_given_up",
            "apply: stolen::recovered::the_plugin_forgets_what_only_the_thief_listed",
            "apply: stolen::recovered::a_scheduled_correction_that_is_no_longer_listed_is_cancelled",
            "apply: stolen::recovered::nothing_that_was_derived_from_the_thiefs_documents_is_left_in_the_state",
        ],
    },
    Scenario {
        group: "recovery from stolen keys",
        what: "sequences, revisions and releases of the plugin fast-forwarded with the stolen keys",
        tests: &[
            "recovery::after::revisions_and_sequences_that_the_thief_used_up_begin_again",
            "recovery::after::releases_of_the_plugin_that_the_thief_used_up_begin_again",
            "rotation::sequences_that_were_used_up_start_afresh_under_a_root_that_says_so",
        ],
    },
    Scenario {
        group: "recovery from stolen keys",
        what: "the plugin key revoked while a panel runs the plugin",
        tests: &[
            "apply: stolen::plugin::a_running_plugin_is_dropped_by_the_sync_that_brings_the_root_without_its_key",
            "apply: stolen::plugin::a_run_of_automatic_application_that_hears_of_it_asks_the_plugin_no_more",
            "apply: stolen::plugin::what_it_said_last_is_not_repeated_by_the_next_process",
            "apply: stolen::plugin::the_same_plugin_signed_by_the_new_key_takes_its_place",
        ],
    },
    Scenario {
        group: "keys",
        what: "head and index that are held, under a root that has taken the role from their keys",
        tests: &[
            "recovery::after::an_index_that_is_held_is_verified_by_the_root_of_now",
            "recovery::after::what_was_decided_by_a_key_that_has_lost_its_role_is_stale_until_the_next_head",
        ],
    },
    Scenario {
        group: "private",
        what: "an index without its sealed side",
        tests: &[
            "recovery::after::an_index_that_loses_its_sealed_side_is_refused",
            "recovery::after::a_recovery_may_give_up_the_sealed_side",
        ],
    },
    Scenario {
        group: "embargo on the wire",
        what: "a sealed payload answers 404, 500, nothing, something else, or is not listed at all",
        tests: &[
            "recovery::wire::a_sealed_payload_that_does_not_come_is_asked_for_by_no_other_name",
            "recovery::wire::nor_is_one_that_is_another_or_does_not_open",
            "recovery::wire::a_payload_under_embargo_without_a_sealed_file_is_not_asked_for_at_all",
            "recovery::wire::what_a_sync_asks_for_names_nothing_that_is_sealed",
            "recovery::wire::after_its_disclosure_a_payload_comes_by_its_own_name",
            "apply: stolen::embargoed::nothing_that_is_done_with_a_sealed_correction_asks_for_it_by_an_open_name",
            "apply: stolen::logged::of_a_correction_under_embargo_a_log_has_no_more_than_ids_however_it_ends",
        ],
    },
    Scenario {
        group: "recovery",
        what: "stored trust is lost or damaged; trust reset",
        tests: &[
            "damaged::a_lost_feed_file_is_filled_again_from_the_pinned_root",
            "restored::a_feed_file_of_an_earlier_day_lets_nobody_offer_that_days_head_again",
            "restored::a_store_of_an_earlier_day_does_not_make_the_feed_file_older",
            "restored::after_a_trust_reset_a_feed_that_began_anew_is_followed_from_its_first_head",
            "damaged::a_feed_file_that_is_no_database_is_set_aside_and_the_rest_stays",
            "damaged::a_tampered_head_is_never_believed",
            "damaged::a_root_that_was_slipped_into_the_store_is_not_believed",
            "damaged::trust_that_is_reset_while_another_process_reads_it_is_not_taken_for_damage",
            "exposure: damage::feed::one_sync_mends_a_feed_with_any_page_damaged_whatever_was_done_before",
            "exposure: damage::feed::a_panel_that_runs_finds_a_damaged_page_and_its_next_sync_mends_it",
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
        group: "the vendor's own folder",
        what: "the published folder or the desk put back to an earlier day; head, index, root or documents deleted",
        tests: &[
            "procedure: record::a_published_folder_that_was_put_back_to_an_earlier_day_is_refused_by_every_command_that_signs",
            "procedure: record::a_folder_whose_head_and_index_were_deleted_does_not_begin_again",
            "procedure: record::a_head_or_an_index_with_other_contents_is_refused",
            "procedure: record::a_root_that_was_deleted_is_missed",
            "procedure: record::a_public_document_that_was_deleted_or_changed_is_named",
            "procedure: record::a_sealed_file_that_was_deleted_is_named",
            "procedure: record::an_embargoed_document_that_the_desk_has_lost_is_named",
            "procedure: record::a_desk_that_was_restored_from_a_backup_is_refused_until_it_recovers_from_the_feed",
            "procedure: record::a_desk_without_a_record_asks_before_it_goes_on_with_a_published_folder",
            "procedure: record::recovering_from_the_record_publishes_what_it_lists_above_every_sequence_and_panels_follow",
            "procedure: record::a_recovery_says_what_is_lost_and_stays_in_the_record_with_who_and_why",
        ],
    },
    Scenario {
        group: "the vendor's own folder",
        what: "documents planted there, signed by an old key, when documents are signed again",
        tests: &[
            "procedure: record::what_a_stolen_key_signed_is_neither_signed_again_nor_broadcast_and_status_names_it",
            "procedure: record::what_waits_for_its_first_broadcast_is_signed_again_only_if_it_is_asked_for",
        ],
    },
    Scenario {
        group: "the vendor's own folder",
        what: "a broadcast that panels would refuse, on either side",
        tests: &[
            "procedure: record::a_head_that_every_panel_would_refuse_is_not_published",
            "procedure: record::a_head_that_an_entitled_panel_would_refuse_is_not_published",
        ],
    },
    Scenario {
        group: "leftovers",
        what: "the publisher killed at any durable call; modes of the desk; core dumps; secrets on a command line",
        tests: &[
            "procedure: killed::a_broadcast_that_is_killed_is_taken_back_or_done",
            "procedure: killed::a_refresh_that_is_killed_is_taken_back_or_done",
            "procedure: killed::a_root_rotation_that_is_killed_is_published_or_not_begun",
            "procedure: killed::a_ceremony_for_a_broadcast_can_be_killed_at_its_last_signature",
            "procedure: killed::a_ceremony_for_a_root_can_be_killed_at_its_last_signature",
            "procedure: killed::signing_again_can_be_killed_and_goes_on",
            "procedure: killed::a_key_that_is_being_made_has_both_halves_or_none",
            "procedure: private_files::every_command_mends_the_modes_of_the_desk_and_says_what_it_mended",
            "procedure: private_files::no_core_dump_can_have_a_key_in_it",
            "procedure: private_files::no_option_takes_a_secret",
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
    Scenario {
        group: "plugin",
        what: "state set and removed for ever; a page whose markup outgrows its text; log lines of a megabyte with direction marks",
        tests: &[
            "limits: state::keys_that_are_set_and_removed_again_leave_nothing_to_commit",
            "limits: state::removals_count_until_they_are_committed",
            "limits: state::names_without_values_count_too",
            "limits: state::a_state_beyond_a_quota_that_was_lowered_can_still_be_removed",
            "limits: worst::a_page_of_a_hundred_megabytes_never_reaches_the_host",
            "limits: worst::every_way_to_misbehave_ends_with_its_own_error_and_the_next_call_is_served",
            "limits: log::lines_of_a_megabyte_are_cut_and_counted_in_bytes",
            "limits: log::direction_marks_and_control_characters_are_written_out",
        ],
    },
    Scenario {
        group: "local attacker beside apply",
        what: "a user of the component, or of a directory above it, who exchanges directories, links and pipes while root applies",
        tests: &[
            "apply: race::a_user_of_the_component_reaches_nothing_outside",
            "apply: race::a_user_of_the_directory_around_it_reaches_nothing_outside",
            "apply: race::a_user_of_an_earlier_runs_surroundings_reaches_nothing_outside",
            "apply: hostile_user::an_outside_that_was_touched_is_noticed",
            "apply: hostile_user::what_comes_into_the_components_place_at_the_exchange_returns_there",
            "apply: hostile_user::a_shut_folder_that_becomes_a_link_while_it_is_removed_opens_nothing_else",
            "apply: hostile::a_folder_that_becomes_a_link_at_any_moment_leads_nowhere",
            "apply: hostile::a_file_below_a_link_that_leads_out_is_refused_and_nothing_outside_is_touched",
        ],
    },
    Scenario {
        group: "local attacker beside apply",
        what: "a directory in which others may rename; a workspace, a lock or a link that they planted",
        tests: &[
            "apply: hostile_user::a_directory_that_everybody_may_write_to_is_refused_with_a_remedy",
            "apply: hostile_user::a_directory_above_that_everybody_may_write_to_is_refused_too",
            "apply: hostile_user::a_sticky_directory_does_not_protect_a_component_of_another_user",
            "apply: hostile_user::a_directory_of_another_user_is_refused_until_a_workspace_is_configured",
            "apply: hostile_user::a_configured_workspace_that_others_may_enter_is_refused",
            "apply: hostile_user::a_planted_workspace_hands_no_file_of_others_to_a_command",
            "apply: hostile_user::a_command_can_only_read_the_lock_that_it_inherits",
            "apply: hostile_user::a_link_that_others_can_have_put_on_the_way_is_not_followed",
            "apply: hostile_user::where_others_may_rename_an_earlier_run_is_still_rolled_back_and_nothing_new_applied",
            "apply: hostile_user::where_others_may_rename_a_lock_that_is_gone_is_not_made_again",
        ],
    },
    Scenario {
        group: "local attacker beside apply",
        what: "a pipe in the place of a file, a version or a log",
        tests: &[
            "apply: hostile_user::a_pipe_in_the_place_of_a_file_counts_as_changed_and_holds_up_nothing",
            "apply: own_files::a_pipe_in_the_place_of_the_version_keeps_nobody_waiting",
            "spacecp-apply: log::a_pipe_in_the_place_of_the_log_keeps_nobody_waiting",
        ],
    },
    Scenario {
        group: "data that a component writes",
        what: "what it writes while it is corrected, on each file system, also through a mapping and to the tree that is no longer live",
        tests: &[
            "apply: disk_data::nothing_that_a_component_writes_is_lost_on_ext4",
            "apply: disk_data::nothing_that_a_component_writes_is_lost_on_xfs",
            "apply: disk_data::nothing_that_a_component_writes_is_lost_on_btrfs",
            "apply: disk_data::nothing_that_a_component_writes_is_lost_in_memory",
            "apply: disk_data::nothing_that_a_component_writes_is_lost_on_an_overlay",
            "apply: own_files::what_is_written_after_the_tree_was_copied_is_in_the_new_one",
            "apply: own_files::a_file_of_the_correction_that_changes_in_the_last_moment_is_not_overwritten",
            "apply: own_files::what_is_written_after_a_rollback_has_begun_is_set_aside",
            "apply: own_files::run_time_data_that_goes_astray_is_set_aside_before_its_tree_goes",
            "apply: disk_faults::what_is_mounted_in_the_tree_while_it_is_corrected_keeps_its_place_and_its_files",
            "apply: disk_faults::what_is_mounted_in_an_old_tree_is_not_removed_with_it",
        ],
    },
    Scenario {
        group: "data that a component writes",
        what: "copies: holes, hard links, times, owners, access control lists, attributes",
        tests: &[
            "apply: like_the_original::a_file_with_holes_has_them_in_the_new_tree_as_well",
            "apply: like_the_original::names_of_one_file_are_names_of_one_file_in_the_new_tree",
            "apply: like_the_original::files_folders_and_links_have_the_times_that_they_had",
            "apply: like_the_original::access_control_lists_stay_as_they_are_with_their_masks",
            "apply: own_files::what_replaces_a_file_has_its_owner_and_attributes",
        ],
    },
    Scenario {
        group: "database damage",
        what: "any page of either database damaged, while a correction has to be rolled back",
        tests: &[
            "exposure: damage::own::a_correction_is_rolled_back_with_any_page_of_either_database_damaged",
            "exposure: damage::own::a_correction_is_rolled_back_without_feed_plugin_pinned_root_and_stores",
            "exposure: damage::own::a_command_that_meets_a_damaged_page_of_the_store_names_it",
            "exposure: damage::feed::one_sync_mends_a_feed_with_any_page_damaged_whatever_was_done_before",
            "exposure: damage::feed::a_panel_that_runs_finds_a_damaged_page_and_its_next_sync_mends_it",
            "exposure: damage::feed::of_the_files_that_were_set_aside_the_newest_are_kept",
        ],
    },
    Scenario {
        group: "full disk",
        what: "the disk of the state directory, or that of a component, fills up at any step",
        tests: &[
            "exposure: damage::full::on_a_full_disk_everything_is_read_and_a_correction_can_be_rolled_back",
            "exposure: damage::full::a_disk_that_fills_at_any_step_loses_nothing",
            "apply: real_disks::a_disk_that_fills_up_while_the_new_tree_is_built",
            "apply: disk_faults::a_quota_that_is_used_up_while_the_new_tree_is_built",
            "apply: disk_faults::a_disk_with_too_few_inodes_is_found_before_anything_is_written",
            "demo: offline::a_full_disk_and_a_read_only_one_are_named_and_cost_nothing_that_was_there",
        ],
    },
    Scenario {
        group: "serving under siege",
        what: "clients that open connections, send slowly, never read, or ask without end",
        tests: &[
            "pages: siege::clients_that_never_read_keep_nobody_from_applying",
            "pages: siege::a_process_with_few_descriptors_keeps_enough_of_them_for_applying",
            "pages: siege::memory_and_descriptors_stay_flat_over_many_requests_and_applications",
            "pages: siege::the_program_raises_its_limit_of_descriptors_no_further_than_it_needs",
            "pages: connections::whoever_sends_half_a_header_is_cut_off",
            "pages: connections::whoever_sends_a_byte_now_and_then_is_cut_off_too",
            "pages: connections::whoever_reads_nothing_is_cut_off",
            "pages: connections::whoever_reads_a_byte_now_and_then_is_cut_off_too",
            "pages: connections::whoever_reads_slowly_gets_every_answer",
            "pages: connections::an_address_with_too_many_connections_loses_the_ones_that_stood_still_longest",
            "pages: connections::the_address_with_the_most_connections_makes_room_for_others",
            "pages: connections::a_connection_whose_request_is_being_answered_is_not_closed_for_another_one",
            "pages: connections::requests_that_are_refused_are_counted_before_they_are_logged",
            "pages: connections::the_panel_that_floods_itself_with_requests_still_says_that_it_is_up",
        ],
    },
    Scenario {
        group: "scanned files",
        what: "a component full of archives, or of files without end, beside others that are to be read",
        tests: &[
            "spacecp-scan: shared::a_component_full_of_bombs_leaves_the_others_what_they_need",
            "spacecp-scan: shared::a_component_with_files_without_end_leaves_the_others_what_they_need",
            "spacecp-scan: shared::a_component_that_seems_to_have_everything_leaves_the_others_their_place_in_the_list",
            "spacecp-scan: shared::what_a_scan_that_was_cut_short_did_not_read_again_is_listed_in_no_known_version",
            "spacecp-scan: shared::what_cannot_be_read_any_more_is_listed_in_no_known_version",
        ],
    },
    Scenario {
        group: "while the administrator sleeps",
        what: "preflight blocks what would be applied automatically",
        tests: &[
            "apply: automatic::what_preflight_holds_back_is_a_notification_once_and_so_is_its_end",
            "spacecp-notify: held_back::a_correction_that_is_held_back_is_told_once_for_each_revision_and_reason",
        ],
    },
];

/// What has no test yet, and why.
const OPEN: &[(&str, &str)] = &[];

/// A case of the public conformance suite for TUF clients (<https://github.com/theupdateframework/tuf-conformance>),
/// by its module and function: which tests here show the same, and what is different, or why there is nothing
/// to show.
struct Case {
    name: &'static str,
    tests: &'static [&'static str],
    note: &'static str,
}

const TUF_CONFORMANCE: &[Case] = &[
    Case {
        name: "test_basic::test_basic_metadata_hash_support",
        tests: &[
            "honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte",
            "refused::a_bit_flipped_index",
            "spacecp-trust: indexes::an_index_has_exactly_the_length_and_the_digest_that_the_head_names",
        ],
        note: "digests are never optional here: the head has the index's, the index every document's",
    },
    Case {
        name: "test_basic::test_basic_refresh_requests",
        tests: &[
            "honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte",
            "honest::an_unchanged_feed_costs_one_conditional_request_and_changes_nothing",
            "honest::only_what_is_new_is_asked_for",
        ],
        note: "the head is asked for first, on condition that it changed, and looked at after the roots",
    },
    Case {
        name: "test_basic::test_basic_refresh_trusted_data",
        tests: &["honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte"],
        note: "",
    },
    Case {
        name: "test_basic::test_custom_fields",
        tests: &["refused::unknown_fields_of_every_document_are_ignored_and_kept"],
        note: "",
    },
    Case {
        name: "test_basic::test_deprecated_keyid_hash_algorithms",
        tests: &["refused::unknown_fields_of_every_document_are_ignored_and_kept"],
        note: "roots have no such field; it would be one that nobody knows",
    },
    Case {
        name: "test_basic::test_faketime",
        tests: &[
            "honest::a_stale_feed_is_believed_again_as_soon_as_there_is_a_fresh_word",
            "honest::a_head_that_was_seen_expired_stays_so_until_the_vendors_next_however_the_clock_goes",
            "clock::what_was_seen_expired_outlives_the_process_and_what_is_stored_of_the_feed",
        ],
        note: "the time is an argument of the follower, so that no clock has to be faked",
    },
    Case {
        name: "test_basic::test_implicit_refresh",
        tests: &[
            "demo: offline::what_nobody_has_heard_of_is_looked_for_in_the_feed_before_the_error_names_it",
        ],
        note: "",
    },
    Case {
        name: "test_basic::test_incorrect_metadata_type",
        tests: &[
            "kinds::a_head_in_the_place_of_a_root_is_refused",
            "kinds::an_index_in_the_place_of_a_head_is_refused",
            "kinds::a_head_in_the_place_of_an_index_is_refused",
            "kinds::a_correction_in_the_place_of_an_advisory_is_refused",
            "kinds::an_advisory_in_the_place_of_a_correction_is_refused",
            "kinds::a_head_in_the_place_of_a_plugin_manifest_is_refused",
            "kinds::a_pinned_root_that_is_another_kind_of_document_is_refused",
        ],
        note: "",
    },
    Case {
        name: "test_basic::test_invalid_initial_root",
        tests: &[
            "refused::a_pinned_root_that_is_not_signed_by_its_own_keys_is_refused",
            "pinned::another_first_root_than_the_pinned_one_is_refused_and_nothing_is_kept",
            "pinned::a_root_with_the_right_fingerprint_must_be_signed_by_its_own_keys_all_the_same",
            "kinds::a_pinned_root_that_is_another_kind_of_document_is_refused",
        ],
        note: "",
    },
    Case {
        name: "test_basic::test_metadata_bytes_match",
        tests: &["honest::the_first_sync_asks_for_what_it_needs_in_order_and_keeps_every_byte"],
        note: "",
    },
    Case {
        name: "test_basic::test_snapshot_404",
        tests: &["answers::a_file_that_is_not_there_is_named"],
        note: "of every file",
    },
    Case {
        name: "test_basic::test_snapshot_hash_mismatch",
        tests: &[
            "refused::a_bit_flipped_index",
            "refused::the_index_of_another_sequence",
            "refused::a_truncated_index",
        ],
        note: "",
    },
    Case {
        name: "test_basic::test_targets_404",
        tests: &[
            "answers::a_file_that_is_not_there_is_named",
            "refused::an_advisory_that_is_not_there",
        ],
        note: "",
    },
    Case {
        name: "test_basic::test_targets_hash_mismatch",
        tests: &[
            "refused::a_bit_flipped_advisory",
            "refused::two_documents_in_each_others_place_are_refused",
        ],
        note: "",
    },
    Case {
        name: "test_basic::test_timestamp_404",
        tests: &["answers::a_file_that_is_not_there_is_named"],
        note: "",
    },
    Case {
        name: "test_basic::test_timestamp_content_changes",
        tests: &[
            "refused::a_head_of_the_same_sequence_with_another_index",
            "refused::a_head_issued_again_under_its_old_sequence",
            "spacecp-trust: heads::two_heads_of_one_sequence_are_an_equivocation",
        ],
        note: "refused as an equivocation, where TUF passes over it in silence",
    },
    Case {
        name: "test_basic::test_unsigned_initial_root",
        tests: &[
            "refused::a_pinned_root_that_is_not_signed_by_its_own_keys_is_refused",
            "pinned::a_root_with_the_right_fingerprint_must_be_signed_by_its_own_keys_all_the_same",
        ],
        note: "",
    },
    Case {
        name: "test_basic::test_unsigned_metadata",
        tests: &["roles::whatever_nobody_signed_is_refused"],
        note: "",
    },
    Case {
        name: "test_basic::test_url_and_metadata_version_mismatch",
        tests: &[
            "refused::an_index_with_a_sequence_of_its_own",
            "refused::a_revision_served_as_another",
            "refused::a_root_that_skips_a_version",
            "spacecp-trust: documents::a_document_that_is_listed_as_another_is_a_moved_one",
        ],
        note: "",
    },
    Case {
        name: "test_expiration::test_expired_local_root",
        tests: &[
            "rotation::under_an_expired_root_an_unchanged_head_is_no_fresh_word",
            "clock::a_root_that_was_seen_expired_verifies_its_successor_and_nothing_else",
        ],
        note: "the chain is walked from the expired root to a fresh one",
    },
    Case {
        name: "test_expiration::test_expired_local_timestamp",
        tests: &["honest::a_stale_feed_is_believed_again_as_soon_as_there_is_a_fresh_word"],
        note: "",
    },
    Case {
        name: "test_expiration::test_root_expired",
        tests: &[
            "rotation::a_new_root_that_has_expired_is_kept_and_nothing_else_moves_until_the_next",
            "spacecp-trust: roots::a_root_holds_until_the_instant_before_it_expires",
        ],
        note: "",
    },
    Case {
        name: "test_expiration::test_snapshot_expired",
        tests: &["refused::an_expired_head"],
        note: "an index has no expiry of its own: it is current for as long as the head that names it",
    },
    Case {
        name: "test_expiration::test_targets_expired",
        tests: &["refused::an_expired_head"],
        note: "documents have no expiry of their own: they are current for as long as the head that leads to them",
    },
    Case {
        name: "test_expiration::test_timestamp_expired",
        tests: &[
            "refused::an_expired_head",
            "spacecp-trust: heads::a_head_is_fresh_until_the_instant_before_it_expires",
        ],
        note: "",
    },
    Case {
        name: "test_file_download::test_artifact_cache",
        tests: &[
            "network::the_same_payload_asked_for_twice_is_fetched_once",
            "network::a_kept_payload_that_was_damaged_since_is_fetched_again",
        ],
        note: "",
    },
    Case {
        name: "test_file_download::test_client_downloads_expected_file",
        tests: &["payload::an_honest_payload_arrives_to_the_letter"],
        note: "",
    },
    Case {
        name: "test_file_download::test_client_downloads_expected_file_in_sub_dir",
        tests: &[
            "payload::an_honest_payload_arrives_to_the_letter",
            "names::a_path_of_a_correction_that_leads_elsewhere",
        ],
        note: "payloads are named by digest; the paths that they are for are inside the signed correction",
    },
    Case {
        name: "test_file_download::test_download_with_hash_algorithms",
        tests: &["payload::an_honest_payload_arrives_to_the_letter"],
        note: "there is one algorithm, SHA-256; another one is another schema",
    },
    Case {
        name: "test_file_download::test_download_with_unknown_hash_algorithm",
        tests: &[
            "spacecp-contract: reading::a_digest_of_any_other_length_than_that_of_sha_256_is_refused",
            "refused::an_advisory_of_a_higher_schema",
        ],
        note: "",
    },
    Case {
        name: "test_file_download::test_multiple_changes_to_target",
        tests: &[
            "revisions::every_revision_of_a_document_takes_the_place_of_the_one_before",
            "revisions::a_panel_that_missed_revisions_asks_for_the_last_one_only",
        ],
        note: "",
    },
    Case {
        name: "test_file_download::test_repository_substitutes_target_file",
        tests: &[
            "payload::a_payload_with_other_contents_is_refused",
            "refused::two_documents_in_each_others_place_are_refused",
        ],
        note: "",
    },
    Case {
        name: "test_keys::test_duplicate_keys",
        tests: &[
            "roles::a_root_that_lists_one_key_nine_times_is_refused",
            "rotation::one_key_under_two_ids_is_one_signer",
        ],
        note: "",
    },
    Case {
        name: "test_keys::test_duplicate_sig_keyids",
        tests: &[
            "thresholds::two_signatures_by_one_key_are_one",
            "spacecp-trust: signatures::a_key_counts_once_however_often_and_under_whatever_id_it_signs",
        ],
        note: "",
    },
    Case {
        name: "test_keys::test_invalid_sig_in_valid_metadata",
        tests: &["refused::one_bad_signature_among_enough_good_ones_does_no_harm"],
        note: "",
    },
    Case {
        name: "test_keys::test_keytype_and_scheme",
        tests: &["thresholds::a_legacy_signature_by_the_right_key_is_refused"],
        note: "there is one kind of key, Ed25519 as minisign has it, and one scheme, pre-hashed",
    },
    Case {
        name: "test_keys::test_snapshot_does_not_meet_threshold",
        tests: &[
            "roles::of_every_role_two_of_five_are_too_few_whoever_else_signs",
            "spacecp-trust: signatures::exactly_the_threshold_is_enough_and_one_less_is_not",
        ],
        note: "",
    },
    Case {
        name: "test_keys::test_snapshot_has_too_few_keys",
        tests: &["roles::a_root_that_demands_more_keys_than_there_are_is_refused"],
        note: "",
    },
    Case {
        name: "test_quoting_issues::test_unusual_role_name",
        tests: &[
            "names::an_id_that_leads_elsewhere",
            "names::an_index_whose_ids_lead_elsewhere",
            "spacecp-contract: reading::every_path_of_a_feed_reads_back_and_nothing_else_is_one",
        ],
        note: "roles have fixed names; ids, which stand in paths, need no quoting",
    },
    Case {
        name: "test_rollback::test_new_snapshot_fast_forward_recovery",
        tests: &[
            "rotation::sequences_that_were_used_up_start_afresh_under_a_root_that_says_so",
            "recovery::after::revisions_and_sequences_that_the_thief_used_up_begin_again",
        ],
        note: "head and index have one sequence; the root says that it starts afresh",
    },
    Case {
        name: "test_rollback::test_new_timestamp_fast_forward_recovery",
        tests: &[
            "rotation::sequences_that_were_used_up_start_afresh_under_a_root_that_says_so",
            "recovery::after::revisions_and_sequences_that_the_thief_used_up_begin_again",
            "spacecp-trust: heads::under_a_root_that_starts_afresh_a_lower_and_an_equal_sequence_are_accepted",
            "spacecp-trust: runs::only_a_higher_epoch_lets_a_sequence_go_back",
        ],
        note: "",
    },
    Case {
        name: "test_rollback::test_new_timestamp_version_rollback",
        tests: &["refused::a_lower_sequence_is_refused"],
        note: "",
    },
    Case {
        name: "test_rollback::test_snapshot_rollback",
        tests: &[
            "refused::an_index_with_a_sequence_of_its_own",
            "spacecp-trust: indexes::an_index_is_of_the_sequence_of_the_head",
        ],
        note: "an index of another sequence than its head is refused, whichever is the lower",
    },
    Case {
        name: "test_rollback::test_targets_fast_forward_recovery",
        tests: &[
            "recovery::after::revisions_and_sequences_that_the_thief_used_up_begin_again",
            "recovery::epochs::nothing_is_given_out_that_is_not_listed_and_after_a_recovery_the_vendor_is_followed",
            "spacecp-trust: indexes::under_a_root_that_starts_afresh_revisions_go_back_and_documents_are_dropped",
        ],
        note: "",
    },
    Case {
        name: "test_rollback::test_targets_role_removal",
        tests: &[
            "refused::an_advisory_removed_from_the_index",
            "recovery::after::a_document_that_the_thief_dropped_or_changed_in_silence_is_the_vendors_again",
            "spacecp-trust: indexes::a_document_that_was_listed_stays_listed_under_its_kind",
        ],
        note: "a document that vanishes is a rollback, unless the root starts afresh",
    },
    Case {
        name: "test_rollback::test_targets_rollback",
        tests: &[
            "refused::an_advisory_of_a_lower_revision",
            "refused::an_advisory_that_changed_without_a_new_revision",
        ],
        note: "",
    },
    Case {
        name: "test_static_repositories::test_static_repository",
        tests: &[],
        note: "these are repositories in TUF's own format, which this feed does not have; its formats (minisign, age) \
            are held against other programs' in `private::peer` and the tests of the publisher",
    },
    Case {
        name: "test_updater_delegation_graphs::test_cached_role_is_verified_against_current_delegator",
        tests: &[
            "recovery::after::an_index_that_is_held_is_verified_by_the_root_of_now",
            "recovery::after::what_was_decided_by_a_key_that_has_lost_its_role_is_stale_until_the_next_head",
            "spacecp-trust: runs::a_stored_index_counts_only_with_signatures_by_the_keys_of_today",
        ],
        note: "the root delegates to every role directly",
    },
    Case {
        name: "test_updater_delegation_graphs::test_delegation_not_in_snapshot",
        tests: &[
            "recovery::after::what_only_the_thief_listed_on_either_side_is_gone_from_every_table",
            "recovery::epochs::nothing_is_given_out_that_is_not_listed_and_after_a_recovery_the_vendor_is_followed",
            "revisions::every_revision_of_a_document_takes_the_place_of_the_one_before",
        ],
        note: "what the index does not list is never asked for, and not kept if it was listed before",
    },
    Case {
        name: "test_updater_delegation_graphs::test_graph_traversal",
        tests: &[],
        note: "there are no delegations but those of the root: no graph is walked, and none can loop or grow",
    },
    Case {
        name: "test_updater_delegation_graphs::test_targetfile_search",
        tests: &[],
        note: "there are no delegations, so that nothing is searched: the index names every document with its kind, \
            id, revision and digest",
    },
    Case {
        name: "test_updater_key_rotations::test_non_root_rotations",
        tests: &[
            "roles::of_every_role_a_new_key_signs_and_the_old_one_no_longer_does",
            "roles::of_every_role_each_three_of_five_are_enough",
            "roles::of_every_role_two_of_five_are_too_few_whoever_else_signs",
            "roles::of_every_role_signatures_that_nobody_asked_for_do_no_harm",
        ],
        note: "",
    },
    Case {
        name: "test_updater_key_rotations::test_root_rotation",
        tests: &[
            "rotation::root_keys_are_all_exchanged_in_steps",
            "rotation::a_root_that_old_or_new_keys_did_not_sign_is_refused_and_the_last_good_one_kept",
            "roles::a_root_of_three_of_five_is_signed_by_any_three",
            "roles::one_root_key_of_five_is_exchanged_at_once_or_with_a_step_between",
            "thresholds::a_threshold_is_raised_from_one_to_two_of_three_and_lowered_again",
            "thresholds::a_raised_threshold_that_the_new_root_does_not_reach_is_refused",
            "thresholds::a_lowered_threshold_that_the_old_root_does_not_reach_is_refused",
            "thresholds::a_threshold_is_raised_from_one_to_both_of_two",
            "thresholds::signatures_that_nobody_asked_for_do_no_harm",
        ],
        note: "",
    },
];

/// How many functions the suite has.
const CASES: usize = 53;

/// Every test that a table may name.
struct Tests {
    /// Of this program, by path.
    here: BTreeSet<String>,
    /// The sources of other programs and crates that were asked for.
    elsewhere: BTreeMap<String, String>,
}

impl Tests {
    fn find() -> Result<Self> {
        let listed = Command::new(std::env::current_exe()?)
            .args(["--list", "--format", "terse"])
            .output()?;
        let text = String::from_utf8(listed.stdout)?;
        let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
        let here: BTreeSet<String> = names.map(str::to_owned).collect();
        assert!(here.len() > 50, "the tests of this program were listed");
        Ok(Self {
            here,
            elsewhere: BTreeMap::new(),
        })
    }

    /// Whether there is such a test: here by its path, elsewhere by its name in the sources.
    fn has(&mut self, test: &str) -> Result<bool> {
        let Some((program, path)) = test.split_once(": ") else {
            return Ok(self.here.contains(test));
        };
        if !self.elsewhere.contains_key(program) {
            self.elsewhere.insert(program.to_owned(), sources(program)?);
        }
        let name = path.rsplit("::").next().unwrap_or(path);
        Ok(self.elsewhere[program].contains(&format!("fn {name}()")))
    }
}

/// The sources of a crate of the workspace, or of a program of tests.
fn sources(program: &str) -> Result<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = match program {
        "spacecp-contract" => tests.join("../wit"),
        "spacecp-trust" => tests.join("../host-shim/trust/src"),
        "spacecp-advisories" => tests.join("../host-shim/src"),
        "spacecp-apply" => tests.join("../host-shim/apply/src"),
        "spacecp-notify" => tests.join("../host-shim/notify/src"),
        "spacecp-scan" => tests.join("../host-shim/scan"),
        "spacecp-publisher" => tests.join("../publisher"),
        program => tests.join(program),
    };
    let mut sources = String::new();
    for entry in WalkDir::new(&folder) {
        let entry = entry.with_context(|| format!("the sources of {program}"))?;
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            sources += &fs::read_to_string(entry.path())?;
        }
    }
    Ok(sources)
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the count is for whoever runs the tests"
)]
fn every_scenario_has_the_tests_that_it_names() -> Result<()> {
    let mut known = Tests::find()?;
    let mut gaps = Vec::new();
    for Scenario { group, what, tests } in SCENARIOS {
        assert!(!tests.is_empty(), "{group}: {what} has no test");
        for test in *tests {
            if !known.has(test)? {
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

#[test]
fn every_case_of_the_conformance_suite_has_its_tests_or_a_reason_for_having_none() -> Result<()> {
    let mut known = Tests::find()?;
    let mut gaps = Vec::new();
    for Case { name, tests, note } in TUF_CONFORMANCE {
        if tests.is_empty() && note.is_empty() {
            gaps.push(format!("{name} has neither a test nor a reason"));
        }
        for test in *tests {
            if !known.has(test)? {
                gaps.push(format!("{name}: {test} is not there"));
            }
        }
    }
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
    let names: BTreeSet<&str> = TUF_CONFORMANCE.iter().map(|case| case.name).collect();
    assert_eq!((names.len(), TUF_CONFORMANCE.len()), (CASES, CASES));
    Ok(())
}

#[test]
fn every_file_that_the_threat_model_gives_as_evidence_is_there() -> Result<()> {
    let documents = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let text = fs::read_to_string(documents.join("threat-model.md"))?;
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let files: Vec<&str> = links.filter(|link| link.starts_with("../")).collect();
    assert!(files.len() > 50, "its evidence was found");
    let gone = files.iter().filter(|file| !documents.join(file).exists());
    assert_eq!(gone.collect::<Vec<_>>(), Vec::<&&str>::new());
    Ok(())
}
