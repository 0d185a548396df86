# Published policies, clause by clause: doc/seeds.md and the tests
# test/pgtap/seed_*.sql agree. A clause that names a test is quoted there, in a
# comment "-- 002: ..."; what is quoted in a test is a clause; and a clause
# without a test says why.

use strict;
use warnings;

use FindBin;

use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my @files = map { s/.*\///r } glob("$top/test/pgtap/seed_*.sql");
my %quoted;    # file to the clauses it quotes
my %clause;    # clause to the file that tests it, or ''
my (@twice, @unexplained, @misquoted);

# What the tests quote
for my $file (@files)
{
	my $text = slurp_file("$top/test/pgtap/$file");

	$quoted{$file}{$_} = 1 for $text =~ /^-- (\d{3}(?:, \d{3})*: .*?)\s*$/mg;
}

# What the page has; a cell may contain "\|"
for my $line (
	grep { /^\| \d{3}[ ,]/ } split /\n/,
	slurp_file("$top/doc/seeds.md"))
{
	my (undef, @cells) = map { s/^\s+|\s+$//gr } split /(?<!\\)\|/, $line, -1;
	next if @cells == 4;    # number, document, preset: the table of documents
	my ($number, $text, $feature, $test) = @cells;
	my $name = "$number: $text";
	my ($file) = $test =~ /\]\(\.\.\/test\/pgtap\/(\w+\.sql)\)$/;

	push @twice, $name if exists $clause{$name};
	$clause{$name} = $file // '';
	push @unexplained, $name
	  unless defined $file
	  || ($test eq '' && $feature =~ /^\*prose\*: \w+$/);
	push @misquoted, "$name ($file)" if defined $file && !$quoted{$file}{$name};
}

cmp_ok(scalar(keys %clause), '>', 0, 'there are clauses');
is("@twice", '', 'each of them once');
is(join("\n", @unexplained), '', 'each with a test, or the word why there is none');
is(join("\n", @misquoted), '', 'whose test exists and quotes it');
for my $file (@files)
{
	my %tested = map { $_ => 1 } grep { $clause{$_} eq $file } keys %clause;

	is(join("\n", grep { !$tested{$_} } sort keys %{ $quoted{$file} }),
		'', "$file quotes clauses that name it");
	isnt(scalar(keys %tested), 0, "$file is named");
}

# All documents are there
my %numbers =
  map { $_ => 1 } map { /(\d{3})/g } map { /^([\d, ]+):/ } keys %clause;
is(join(' ', sort keys %numbers), '000 001 002 003 004', 'of all documents');

done_testing();
