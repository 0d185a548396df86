# JSON Schema (2020-12), as much of it as doc/policy.schema.json uses. A keyword
# that is not known here ends the test, so that none is passed over in silence.
package SlaSchema;

use strict;
use warnings;

use B ();
use Carp;
use Exporter 'import';
use JSON::PP;

our @EXPORT = qw(schema_problems);

my $root;

# What a schema says nothing about the value with
my %silent = map { $_ => 1 }
  qw($schema $id $defs title description default examples then else);

my $canonical = JSON::PP->new->canonical->allow_nonref;

# All places where a value is not what the schema says, as "path: keyword".
sub schema_problems
{
	my ($schema, $value) = @_;

	$root = $schema;
	return problems($schema, $value, '$');
}

sub type_of
{
	my ($value) = @_;

	return 'null' unless defined $value;
	return 'boolean' if JSON::PP::is_bool($value);
	return 'object' if ref $value eq 'HASH';
	return 'array' if ref $value eq 'ARRAY';
	my $flags = B::svref_2object(\$value)->FLAGS;
	return $flags & (B::SVp_IOK | B::SVp_NOK) && !($flags & B::SVp_POK)
	  ? 'number'
	  : 'string';
}

sub valid { return !problems(@_); }

my %keyword = (
	'$ref' => sub {
		my ($ref, $value, $path) = @_;
		my ($name) = $ref =~ m{^#/\$defs/(\w+)$} or croak "\$ref $ref";
		return problems($root->{'$defs'}{$name} // croak($name), $value, $path);
	},
	type => sub {
		my ($types, $value) = @_;
		my $type = type_of($value);
		$type = 'integer' if $types eq 'integer' && $type eq 'number' && $value == int $value;
		return grep({ $_ eq $type } ref $types ? @$types : $types) ? () : ('');
	},
	enum => sub {
		my ($allowed, $value) = @_;
		my $text = $canonical->encode($value);
		return grep({ $canonical->encode($_) eq $text } @$allowed) ? () : ('');
	},
	pattern => sub {
		my ($pattern, $value) = @_;
		return () unless type_of($value) eq 'string';
		# as in ECMAScript, $ is the very end
		(my $perl = $pattern) =~ s/\$$/\\z/;
		$perl =~ s/\\u([0-9a-f]{4})/\\x{$1}/g;
		return $value =~ /$perl/ ? () : ('');
	},
	maxLength => sub {
		my ($most, $value) = @_;
		return type_of($value) eq 'string' && length $value > $most ? ('') : ();
	},
	exclusiveMinimum => sub {
		my ($bound, $value) = @_;
		return type_of($value) eq 'number' && $value <= $bound ? ('') : ();
	},
	minimum => sub {
		my ($bound, $value) = @_;
		return type_of($value) eq 'number' && $value < $bound ? ('') : ();
	},
	maximum => sub {
		my ($bound, $value) = @_;
		return type_of($value) eq 'number' && $value > $bound ? ('') : ();
	},
	required => sub {
		my ($names, $value) = @_;
		return () unless ref $value eq 'HASH';
		return grep { !exists $value->{$_} } @$names;
	},
	dependentRequired => sub {
		my ($names, $value) = @_;
		return () unless ref $value eq 'HASH';
		return map {
			my $name = $_;
			grep { exists $value->{$name} && !exists $value->{$_} } @{ $names->{$name} }
		} sort keys %$names;
	},
	properties => sub {
		my ($schemas, $value, $path) = @_;
		return () unless ref $value eq 'HASH';
		return map { problems($schemas->{$_}, $value->{$_}, "$path.$_") }
		  grep { exists $value->{$_} } sort keys %$schemas;
	},
	additionalProperties => sub {
		my ($schema, $value, $path, $whole) = @_;
		return () unless ref $value eq 'HASH';
		return map { problems($schema, $value->{$_}, "$path.$_") }
		  grep { !exists $whole->{properties}{$_} } sort keys %$value;
	},
	propertyNames => sub {
		my ($schema, $value, $path) = @_;
		return () unless ref $value eq 'HASH';
		return map { problems($schema, $_, "$path.$_") } sort keys %$value;
	},
	minProperties => sub {
		my ($least, $value) = @_;
		return ref $value eq 'HASH' && keys %$value < $least ? ('') : ();
	},
	items => sub {
		my ($schema, $value, $path) = @_;
		return () unless ref $value eq 'ARRAY';
		return
		  map { problems($schema, $value->[$_], "${path}[$_]") } 0 .. $#$value;
	},
	minItems => sub {
		my ($least, $value) = @_;
		return ref $value eq 'ARRAY' && @$value < $least ? ('') : ();
	},
	uniqueItems => sub {
		my ($unique, $value) = @_;
		my %seen;
		return () unless ref $value eq 'ARRAY';
		return grep { $seen{$_}++ } map { $canonical->encode($_) } @$value;
	},
	anyOf => sub {
		my ($schemas, $value, $path) = @_;
		return grep({ valid($_, $value, $path) } @$schemas) ? () : ('');
	},
	allOf => sub {
		my ($schemas, $value, $path) = @_;
		return map { problems($_, $value, $path) } @$schemas;
	},
	not => sub {
		my ($schema, $value, $path) = @_;
		return valid($schema, $value, $path) ? ('') : ();
	},
	if => sub {
		my ($schema, $value, $path, $whole) = @_;
		my $then = valid($schema, $value, $path) ? 'then' : 'else';
		return
		  exists $whole->{$then} ? problems($whole->{$then}, $value, $path) : ();
	});

sub problems
{
	my ($schema, $value, $path) = @_;
	my @found;

	return $schema ? () : ("$path: not allowed") if JSON::PP::is_bool($schema);
	for my $name (sort keys %$schema)
	{
		next if $silent{$name};
		my $check = $keyword{$name} or croak "keyword $name is not known";

		for my $problem ($check->($schema->{$name}, $value, $path, $schema))
		{
			push @found,
			  $problem =~ /^\$/ ? $problem : "$path: $name" . ($problem ne '' && " $problem");
		}
	}
	return @found;
}

1;
