# slapolicy: build, install and the classical tests.
#
#   make && make install && make installcheck
#
# The version is written in slapolicy.control and nowhere else.

EXTENSION = slapolicy
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" slapolicy.control)

# Floors, lowest first: a file may use what stands before it, never what
# stands after.
SRCS = \
	src/hours_scan.c \
	src/hours_dates.c \
	src/hours_recurring.c \
	src/hours_specials.c \
	src/hours_canon.c \
	src/hours_rules.c \
	src/hours_print.c \
	src/hours_select.c \
	src/hours_text.c \
	src/zone.c \
	src/span.c \
	src/timeline_pattern.c \
	src/pattern_join.c \
	src/timeline_table.c \
	src/timeline_chunk.c \
	src/timeline.c \
	src/business_days.c \
	src/deadline.c \
	src/standstill.c \
	src/stretch.c \
	src/availability.c \
	src/business_hours_store.c \
	src/business_hours.c \
	src/business_hours_compose.c \
	src/business_hours_inspect.c \
	src/interval_text.c \
	src/business_interval.c \
	src/severity.c \
	src/restriction_level.c \
	src/attached_table.c \
	src/timeline_cache.c \
	src/calendar.c \
	src/open_windows.c \
	src/availability_terms.c \
	src/availability_value.c \
	src/availability_of.c \
	src/zone_version.c \
	src/wall_clock.c \
	src/event.c \
	src/json_read.c \
	src/policy_tables.c \
	src/restriction_rule.c \
	src/policy_rules.c \
	src/policy_compile.c \
	src/policy.c \
	src/contract.c \
	src/invoice_fold.c \
	src/fold_state.c \
	src/clock_work.c \
	src/clock.c \
	src/ticket.c \
	src/worker_shmem.c \
	src/ledger_tables.c \
	src/ledger_key.c \
	src/ledger_about.c \
	src/relation_cache.c \
	src/edition.c \
	src/ledger.c \
	src/ledger_alert.c \
	src/ledger_clock.c \
	src/restamp_progress.c \
	src/ticket_set.c \
	src/invoice_ledger.c \
	src/attachment.c \
	src/attachment_row.c \
	src/message_table.c \
	src/invoice_table.c \
	src/invoice_record.c \
	src/restriction_sweep.c \
	src/restriction_items.c \
	src/restriction_group.c \
	src/restriction.c \
	src/restriction_history.c \
	src/restriction_functions.c \
	src/record.c \
	src/moved_row.c \
	src/row_track.c \
	src/stamp_row.c \
	src/stamp.c \
	src/as_owner.c \
	src/partition_route.c \
	src/ticket_lookup.c \
	src/report.c \
	src/attach.c \
	src/transaction_block.c \
	src/found_now.c \
	src/guard_rule.c \
	src/guard.c \
	src/restamp.c \
	src/restamp_batch.c \
	src/invoices.c \
	src/gone.c \
	src/record_event.c \
	src/message_report.c \
	src/message_batch.c \
	src/messages.c \
	src/record_messages.c \
	src/ledger_rights.c \
	src/explain_row.c \
	src/explain_stretch.c \
	src/explain_step.c \
	src/explain_event.c \
	src/explain_cover.c \
	src/explain.c \
	src/recompute_report.c \
	src/recompute.c \
	src/ticket_stream.c \
	src/simulate.c \
	src/extension.c \
	src/alert_notify.c \
	src/alert_pass.c \
	src/alert.c \
	src/restriction_pass.c \
	src/restriction_alert.c \
	src/guc.c \
	src/worker_status.c \
	src/worker_try.c \
	src/worker_levels.c \
	src/worker_pass.c \
	src/worker.c \
	src/launcher.c \
	src/slapolicy.c

MODULE_big = slapolicy
OBJS = $(SRCS:.c=.o)
PG_CPPFLAGS = -DSLAPOLICY_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter

# Calls between our own files go straight, not through the symbol table.
ifeq ($(shell uname -s),Linux)
SHLIB_LINK += -Wl,-Bsymbolic-functions
endif

# Parts of the install script, in the order they are joined.
SQL_PARTS = \
	sql/00_header.sql \
	sql/10_severity.sql \
	sql/11_business_interval.sql \
	sql/12_business_hours.sql \
	sql/13_restriction_level.sql \
	sql/20_calendar.sql \
	sql/21_availability.sql \
	sql/29_holiday.sql \
	sql/30_policy.sql \
	sql/31_policy_rules.sql \
	sql/31_restriction_rule.sql \
	sql/31_request_rules.sql \
	sql/32_contract.sql \
	sql/33_policy_integrity.sql \
	sql/34_target_problems.sql \
	sql/34_request_problems.sql \
	sql/35_availability_rules.sql \
	sql/35_availability_problems.sql \
	sql/35_policy_problems.sql \
	sql/36_load_policy.sql \
	sql/37_policy_document.sql \
	sql/38_preset_amazee.sql \
	sql/38_preset_laioutr.sql \
	sql/38_preset_managed_hosting.sql \
	sql/38_preset_nagomi.sql \
	sql/39_presets.sql \
	sql/39_attached_table.sql \
	sql/40_ledger.sql \
	sql/41_attach_checks.sql \
	sql/41_attach.sql \
	sql/42_events.sql \
	sql/43_restamp.sql \
	sql/44_message_checks.sql \
	sql/44_messages.sql \
	sql/46_explain.sql \
	sql/47_recompute.sql \
	sql/48_simulate.sql \
	sql/50_alert.sql \
	sql/51_worker_status.sql \
	sql/52_acknowledge.sql \
	sql/53_purge.sql \
	sql/54_alerts_after.sql \
	sql/55_invoice.sql \
	sql/56_attach_invoices.sql \
	sql/57_restriction.sql \
	sql/58_restriction_alert.sql \
	sql/60_clock_status.sql \
	sql/61_at_risk.sql \
	sql/62_breach.sql \
	sql/63_compliance.sql \
	sql/64_account_restriction.sql \
	sql/64_open_alert.sql \
	sql/66_requests.sql \
	sql/67_check_request.sql \
	sql/68_billing.sql \
	sql/69_guard.sql \
	sql/70_services.sql \
	sql/71_service_terms.sql \
	sql/72_service_availability.sql \
	sql/73_availability_by_month.sql

INSTALL_SQL = build/slapolicy--$(EXTVERSION).sql
DATA_built = $(INSTALL_SQL)

# pg_regress inputs live in test/sql, expectations in test/expected.
TESTS = $(sort $(wildcard test/sql/*.sql))
REGRESS = $(patsubst test/sql/%.sql,%,$(TESTS))
REGRESS_OPTS = --inputdir=test --load-extension=slapolicy

# Two sessions at a time: specs and expectations in test/isolation.
SPECS = $(sort $(wildcard test/isolation/specs/*.spec))
ifneq ($(SPECS),)
ISOLATION = $(patsubst test/isolation/specs/%.spec,%,$(SPECS))
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=slapolicy
endif

# Servers of their own, started by PostgreSQL::Test::Cluster.
PROVE_TESTS = $(sort $(wildcard test/t/*.pl))
ifneq ($(PROVE_TESTS),)
TAP_TESTS = 1
endif

EXTRA_CLEAN = build META.json results regression.diffs regression.out \
	output_iso tmp_check tmp_check_iso

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PGXS does not track headers: any header rebuilds every object.
$(OBJS): $(wildcard src/*.h)

# Joined anew when a part, the list of parts or the version changes.
$(INSTALL_SQL): $(SQL_PARTS) slapolicy.control Makefile | check-clash
	@mkdir -p build
	cat $(SQL_PARTS) > $@

META.json: META.json.in slapolicy.control
	sed 's/@VERSION@/$(EXTVERSION)/g' $< > $@

# pg_regress prefers sql/T.sql to test/sql/T.sql: an install part named like a
# test would be run in its place.
.PHONY: check-clash
check-clash:
	@clash="$(filter $(notdir $(TESTS)),$(notdir $(SQL_PARTS)))"; \
	if [ -n "$$clash" ]; then \
		echo "install parts and tests share names: $$clash" >&2; exit 1; \
	fi

# The Perl tests alone; `make installcheck` runs them after the others.
.PHONY: prove_installcheck
prove_installcheck:
	$(prove_installcheck)

# The pgTAP tests in the running server's database of PGHOST, PGPORT and
# PGDATABASE.  Each file creates the extensions it needs and rolls back.
PG_PROVE = pg_prove
.PHONY: pgtap
pgtap:
	$(PG_PROVE) $(sort $(wildcard test/pgtap/*.sql))

# Fuzzing of what users write and of the calendars made of it, outside the
# server and under sanitizers: with libFuzzer where clang has it, else with
# random changes of the corpus.  A finding is left in build/fuzz;
# `build/fuzz/hours FILE` or `build/fuzz/timeline FILE` repeats it.
FUZZ_SECONDS = 60
FUZZ_CC = $(shell command -v clang || echo gcc)
FUZZ_CFLAGS = -g -O2 -fno-strict-aliasing -fwrapv -fno-omit-frame-pointer \
	-Wno-ignored-attributes -DUSE_ASSERT_CHECKING=1 -Isrc -Itest/fuzz -D_GNU_SOURCE \
	-I$(shell $(PG_CONFIG) --includedir-server)
FUZZ_LIBS = -L$(shell $(PG_CONFIG) --pkglibdir) \
	-L$(shell $(PG_CONFIG) --libdir) -lpgcommon -lpgport -lm
FUZZ_SANITIZERS = address,undefined
FUZZ_HOURS = test/fuzz/hours.c test/fuzz/backend.c test/fuzz/assert.c \
	src/hours_scan.c \
	src/hours_dates.c src/hours_recurring.c src/hours_specials.c \
	src/hours_rules.c src/hours_print.c src/hours_select.c src/hours_text.c
FUZZ_TIMELINE = test/fuzz/timeline.c test/fuzz/zones.c test/fuzz/backend.c \
	test/fuzz/assert.c $(filter src/hours_%,$(SRCS)) src/zone.c \
	src/timeline_pattern.c src/pattern_join.c src/timeline_table.c \
	src/timeline_chunk.c src/timeline.c src/business_days.c src/deadline.c \
	src/stretch.c

ifneq ($(findstring clang,$(FUZZ_CC)),)
FUZZ_BUILD = $(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer,$(FUZZ_SANITIZERS)
# arithmetic on instants tells the fuzzer nothing and slows it down
FUZZ_TIMELINE_CFLAGS = -fno-sanitize-coverage=trace-cmp,trace-div,trace-gep
FUZZ_RUN = -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=$(2) \
	-print_final_stats=1 -dict=../../test/fuzz/hours.dict \
	corpus/$(1) ../../test/fuzz/corpus/$(1)
else
FUZZ_BUILD = $(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=$(FUZZ_SANITIZERS) \
	test/fuzz/driver.c
FUZZ_RUN = -t $(FUZZ_SECONDS) ../../test/fuzz/corpus/$(1)/*
endif

build/fuzz/hours: $(FUZZ_HOURS) src/hours_canon.c
	@mkdir -p build/fuzz/corpus/hours
	$(FUZZ_BUILD) -fno-sanitize-recover=all $(FUZZ_HOURS) $(FUZZ_LIBS) -o $@

build/fuzz/timeline: $(FUZZ_TIMELINE)
	@mkdir -p build/fuzz/corpus/timeline
	$(FUZZ_BUILD) $(FUZZ_TIMELINE_CFLAGS) -fno-sanitize-recover=all $(FUZZ_TIMELINE) $(FUZZ_LIBS) -o $@

build/fuzz/hours build/fuzz/timeline: $(wildcard test/fuzz/*.[ch] src/*.h)

.PHONY: fuzz
fuzz: build/fuzz/hours build/fuzz/timeline
	cd build/fuzz && ./hours $(call FUZZ_RUN,hours,4096)
	cd build/fuzz && ./timeline $(call FUZZ_RUN,timeline,400)
