# The documentation says what is so: every example in it runs and gives what
# is printed below it, every public object is in the reference, every link
# leads somewhere.
#
# A block ```sql is run; a block ```text directly below it is what psql prints.
# Without one the output does not matter, but there must be no error. Each file
# is one psql session in a database of its own.

use strict;
use warnings;

use File::Basename;
use File::Spec;
use FindBin;
use lib "$FindBin::RealBin/../perl";

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use SlaTest;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my @files = grep { -e } (
	"$top/README.md",
	sort(glob("$top/doc/*.md"), glob("$top/doc/*/*.md"), glob("$top/examples/*.md")));

# The fenced blocks of a text: language, line of the first one, content, and
# whether nothing but blank lines stands between it and the block before.
sub blocks
{
	my ($text) = @_;
	my @blocks;
	my ($block, $fence, $alone);
	my $number = 0;

	for my $line (split /\n/, $text)
	{
		$number++;
		if ($block)
		{
			if ($line =~ /^\Q$fence\E`*\s*$/)
			{
				push @blocks, $block;
				($block, $alone) = (undef, 1);
			}
			else
			{
				$block->{text} .= "$line\n";
			}
		}
		elsif ($line =~ /^(```+)(\w*)/)
		{
			$fence = $1;
			$block = {
				language => $2,
				line => $number + 1,
				text => '',
				follows => $alone
			};
		}
		elsif ($line =~ /\S/)
		{
			$alone = 0;
		}
	}
	die "a block is not closed" if $block;
	return @blocks;
}

# What is compared: psql pads cells, Markdown editors strip that.
sub trimmed
{
	my ($text) = @_;

	$text =~ s/[ \t\r]+$//mg;
	$text =~ s/\A\n+|\n+\z//g;
	return $text;
}

# Run scripts in one session; what each of them printed.
sub run_all
{
	my ($connstr, @scripts) = @_;
	my $script = '';
	my $output = '';

	$script .= "$scripts[$_]\n\\echo end-of-block-$_\n" for 0 .. $#scripts;
	IPC::Run::run(
		[
			'psql', '-X', '-q', '-P', 'pager=off',
			'-v', 'SHOW_CONTEXT=never', '-d', $connstr
		],
		'<', \$script, '>&', \$output,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));

	my @outputs;
	for my $i (0 .. $#scripts)
	{
		$output =~ s/\A(.*?)^end-of-block-$i\n//ms
		  or die "the session ended early: $output";
		push @outputs, trimmed($1);
	}
	return @outputs;
}

# No worker: where flags matter the examples set them themselves.
my $node = new_node('docs', 1, 'slapolicy.databases' => "'none'");
my $reference = '';
my $examples = 0;

for my $file (@files)
{
	my $name = File::Spec->abs2rel($file, $top);
	my $text = slurp_file($file);
	my (@sql, @expected);

	$reference = $text if $name eq 'doc/reference.md';
	for my $block (blocks($text))
	{
		if ($block->{language} eq 'sql')
		{
			push @sql, $block;
			push @expected, undef;
		}
		elsif ($block->{language} eq 'text' && $block->{follows} && @sql)
		{
			die "$name, line $block->{line}: two outputs of one example"
			  if defined $expected[-1];
			$expected[-1] = trimmed($block->{text});
		}
	}

	$node->safe_psql('postgres', qq{CREATE DATABASE "$name"});
	my @got = run_all($node->connstr($name), map { $_->{text} } @sql);
	for my $i (0 .. $#sql)
	{
		my $what = "$name, line $sql[$i]{line}";

		if (defined $expected[$i])
		{
			is($got[$i], $expected[$i], "$what: prints what is said");
		}
		else
		{
			unlike($got[$i], qr/^(ERROR|FATAL|invalid command|psql: error)/m,
				"$what: runs");
		}
		$examples++;
	}

	# Links to other files of the repository
	my $prose = join "\n", grep { !/^```/ } split /\n/, $text;
	my @links = grep { !/^\w+:/ } $prose =~ /\]\(([^)\s]+)\)/g;
	my @broken;
	for my $link (@links)
	{
		my ($path, $anchor) = split /#/, $link, 2;
		my $target = $path eq '' ? $file : dirname($file) . "/$path";

		push @broken, $link and next unless -e $target;
		next unless defined $anchor;

		# anchors as GitHub makes them of headings
		my %anchors = map {
			my $heading = lc;
			$heading =~ s/[^\w\- ]//g;
			$heading =~ s/ /-/g;
			$heading => 1
		} slurp_file($target) =~ /^#+\s+(.*?)\s*$/mg;
		push @broken, $link unless $anchors{$anchor};
	}
	is("@broken", '', "$name: links lead somewhere");
}
cmp_ok($examples, '>', 0, 'there are examples');

# The reference has everything there is, and nothing else.
$node->safe_psql('postgres', 'CREATE EXTENSION slapolicy');
my @objects = split /\n/, $node->safe_psql(
	'postgres', q{
	SELECT DISTINCT 'sla.' || p.proname
	  FROM pg_proc p
	 WHERE p.pronamespace = 'sla'::regnamespace
	   AND p.proname !~ '^(severity|business_hours|business_interval|attached_table)_'
	UNION ALL
	SELECT 'sla.' || c.relname FROM pg_class c
	 WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind IN ('r', 'v')
	UNION ALL
	SELECT 'sla.' || t.typname FROM pg_type t
	 WHERE t.typnamespace = 'sla'::regnamespace AND t.typtype = 'b'
	   AND t.typelem = 0
	UNION ALL
	SELECT name FROM pg_settings WHERE name LIKE 'slapolicy.%'
	ORDER BY 1});
my %known = map { $_ => 1 } @objects;
my %named = map { $_ => 1 } $reference =~ /`((?:sla|slapolicy)\.\w+)/g;

is(join(' ', grep { !$named{$_} } @objects),
	'', 'the reference names every object');
is(join(' ', grep { !$known{$_} } sort keys %named),
	'', 'and no object that does not exist');

# Columns, each in the section of its table
for my $line (
	split /\n/,
	$node->safe_psql(
		'postgres', q{
	SELECT 'sla.' || c.relname || ' ' || string_agg(a.attname, ' ' ORDER BY a.attnum)
	  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	 WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind IN ('r', 'v')
	   AND a.attnum > 0 AND NOT a.attisdropped
	 GROUP BY c.relname ORDER BY 1}))
{
	my ($table, @columns) = split / /, $line;
	my ($section) = $reference =~ /^#+ `\Q$table\E`$(.*?)(?=^#|\z)/ms;
	my @rows = ($section // '') =~ /^\| `(\w+)` \|/mg;

	is("@rows", "@columns", "the reference has the columns of $table");
}

$node->stop('fast');
done_testing();
