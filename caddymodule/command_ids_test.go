package caddymodule

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// An id is an id, wherever it stands and whatever it begins with, and a flag is a
// flag.
func TestTakeID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words []string
		id    string
		flags string // address, json
		fails string
	}{
		{[]string{"abc"}, "abc", ",false", ""},
		{[]string{"-abc"}, "-abc", ",false", ""},
		{[]string{"-c"}, "", "", "needs an argument"},
		{[]string{"-ccc", "--json"}, "-ccc", ",true", ""},
		{[]string{"--address", "x", "-abc", "--json"}, "-abc", "x,true", ""},
		{[]string{"-abc", "--address=x"}, "-abc", "x,false", ""},
		{[]string{"--address", "-x", "abc"}, "abc", "-x,false", ""},
		{[]string{"-c", "file", "abc"}, "abc", ",false", ""},
		{[]string{"-c=file", "abc"}, "abc", ",false", ""},
		{[]string{"--json=false", "abc"}, "abc", ",false", ""},
		{[]string{"--", "--json"}, "--json", ",false", ""},
		{[]string{"--json", "--", "-c"}, "-c", ",true", ""},
		{[]string{"-"}, "-", ",false", ""},
		{[]string{""}, "", ",false", ""},
		{[]string{"--lT-7qIuLvyH1wS1asp6UvDvLuROHeTgh79yEcK0Vc", "--json"}, "--lT-7qIuLvyH1wS1asp6UvDvLuROHeTgh79yEcK0Vc", ",true", ""},
		{[]string{"--address", "x", "--7qIuLvyH1wS1asp6UvDv.1"}, "--7qIuLvyH1wS1asp6UvDv.1", "x,false", ""},
		{[]string{"--colour-of-everything=abcdef", "abc"}, "", "", "unknown flag"},
		{[]string{"--colour", "abc"}, "", "", "unknown flag"},
		{[]string{"--address"}, "", "", "needs an argument"},
		{[]string{}, "", "", "accepts 1 arg"},
		{[]string{"a", "-b"}, "", "", "accepts 1 arg"},
	} {
		var id, flags string
		cmd := &cobra.Command{Use: "revoke <id>", SilenceErrors: true, SilenceUsage: true}
		takeID(cmd, func(cmd *cobra.Command, got string) error {
			id, flags = got, flagText(cmd, "address")+","+flagText(cmd, "json")
			return nil
		})
		adminFlags(cmd)
		cmd.SetArgs(slices.Clone(c.words))
		err := cmd.Execute()
		if id != c.id || flags != c.flags || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%q: id %q, flags %q, %v", c.words, id, flags, err)
		}
	}
}

func TestTakeIDHelps(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	cmd := &cobra.Command{Use: "revoke <id>", Short: "Removes it"}
	takeID(cmd, func(*cobra.Command, string) error { t.Error("it was done"); return nil })
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--help"})
	if err := cmd.Execute(); err != nil || !strings.Contains(out.String(), "Removes it") {
		t.Errorf("%v %s", err, out.String())
	}
}
