package caddymodule

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/dd99cb49/caddy-client-credentials/issuer/token"
)

// exitFindings is the exit status of a command that has done its work and has
// found what it looked for: a refusal, a mistake in the configuration.
const exitFindings = 2

// exitUnknown is the exit status of a command that cannot tell what it is asked.
const exitUnknown = 3

// explainCommand makes `caddy oauth2 explain`.
func explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain --config <path> [--adapter <name>] --request <\"METHOD URL\"> [--token <@FILE|@-|TEXT>] " +
			"[--header <\"Name: value\">]... [--data <@FILE|@-|TEXT>] [--cert <path>] [--from <ip>] [--jwks <\"ISSUER=FILE\">]... [--json]",
		Short: "Tells why a request would pass or be refused under a configuration",
		Long: `
Tells what a configuration does with a request: which gates it meets, each thing
that they look at with what was expected and found, the rule that decides, and
what the client or the upstream gets.

Nothing is started, sent, or written: keys, clients and revocations are read from
the storage that the configuration names, and a Caddy that runs on it notices
nothing. No other handler than those that change or route requests is executed.
A DPoP proof ("DPoP: ..." as a --header) is judged and not marked as used.

The keys of trusted issuers that are fetched at run time are not fetched; --jwks
gives them. The token is never printed; @FILE and @- keep it out of the list of
processes too.

The exit status is 0 where the request passes or gets what it asks for, 2 where it
is refused or redirected, gets an error, or nobody answers, 3 where that cannot be told,
since keys are fetched at run time or a handler that may refuse the request, such as
basic_auth, is not executed, and 1 after an error.`,
		Args: cobra.NoArgs,
		RunE: runExplain,
	}
	cmd.Flags().StringP("config", "c", "", "Configuration file")
	cmd.Flags().StringP("adapter", "a", "", "Name of the config adapter for the file")
	cmd.Flags().String("request", "", `Method and url, such as "GET https://host/path"`)
	cmd.Flags().String("token", "", "The access token: @FILE, @- for the standard input, or the token itself; none without")
	cmd.Flags().StringArray("header", nil, `A further header of the request, "Name: value" (may be repeated)`)
	cmd.Flags().String("data", "", "The body, as that of curl: @FILE, @- for the standard input, or the text of a form")
	cmd.Flags().String("cert", "", "PEM file with the client's certificate")
	cmd.Flags().String("from", "127.0.0.1", "The client's IP address")
	cmd.Flags().StringArray("jwks", nil, `Keys of a trusted issuer, "ISSUER=FILE" (may be repeated)`)
	cmd.Flags().Bool("json", false, "Print the answer as JSON")
	return cmd
}

func runExplain(cmd *cobra.Command, _ []string) (err error) {
	asked, err := askedFor(cmd)
	if err != nil {
		return err
	}
	jwks, err := jwksOf(cmd)
	if err != nil {
		return err
	}
	config, err := readConfig(flagText(cmd, "config"), flagText(cmd, "adapter"))
	if err != nil {
		return err
	}
	made, err := lookAtConfig(config, jwks)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, made.close()) }()
	found, err := made.explain(cmd.Context(), &asked)
	if err != nil {
		return err
	}
	if err := printAnswer(cmd, found, found.text); err != nil {
		return err
	}
	switch {
	case found.Result == resultUnknown:
		return exitWith(cmd, exitUnknown)
	case found.Result == resultRefused, found.Result == resultAnswered && found.Answer.fails():
		return exitWith(cmd, exitFindings)
	}
	return nil
}

// printAnswer prints the result of a command, for people or as JSON.
func printAnswer(cmd *cobra.Command, answer any, text func() string) error {
	if !flagSet(cmd, "json") {
		_, err := io.WriteString(cmd.OutOrStdout(), text())
		return err
	}
	encoder := json.NewEncoder(cmd.OutOrStdout())
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(answer)
}

// exitWith ends the command with an exit status and no further word.
func exitWith(cmd *cobra.Command, status int) error {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	return caddycmd.WrapCommandFuncForCobra(func(caddycmd.Flags) (int, error) { return status, nil })(cmd, nil)
}

// askedFor is the request that the flags describe.
func askedFor(cmd *cobra.Command) (question, error) {
	asked, err := parseRequest(flagText(cmd, "request"))
	if err != nil {
		return question{}, err
	}
	asked.from = flagText(cmd, "from")
	if _, err := netip.ParseAddr(asked.from); err != nil {
		return question{}, fmt.Errorf("--from %q: expected an IP address", asked.from)
	}
	headers, err := cmd.Flags().GetStringArray("header")
	if err != nil {
		return question{}, err
	}
	for _, line := range headers {
		name, value, found := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !found || name == "" || strings.ContainsAny(line, "\r\n") {
			return question{}, errors.New(`--header: expected "Name: value"`) // the value may be a secret
		}
		asked.header.Add(name, strings.TrimSpace(value))
	}
	if err := addToken(cmd, asked.header); err != nil {
		return question{}, err
	}
	if asked.body, err = bodyOf(cmd, asked.header); err != nil {
		return question{}, err
	}
	if path := flagText(cmd, "cert"); path != "" {
		asked.certificate, err = readCertificate(path)
	}
	return asked, err
}

// addToken sends the token in the way that goes with the other headers.
func addToken(cmd *cobra.Command, header http.Header) error {
	raw, err := readArgument(cmd.InOrStdin(), flagText(cmd, "token"), 2*token.MaxLength)
	if err != nil {
		return fmt.Errorf("--token: %w", err)
	}
	if raw = strings.TrimSpace(raw); raw == "" {
		if flagText(cmd, "token") != "" {
			return errors.New("--token: it is empty")
		}
		return nil
	}
	if strings.ContainsAny(raw, "\r\n") {
		return errors.New("--token: expected one line")
	}
	scheme := "Bearer "
	if header.Get("DPoP") != "" {
		scheme = "DPoP "
	}
	header.Add("Authorization", scheme+raw)
	return nil
}

// bodyOf is the body, which is a form unless a header says otherwise, without line
// ends, as curl has it. It may hold a token, and is not printed.
func bodyOf(cmd *cobra.Command, header http.Header) (string, error) {
	argument := flagText(cmd, "data")
	if argument == "@-" && flagText(cmd, "token") == "@-" {
		return "", errors.New("--data: --token has the standard input already")
	}
	body, err := readArgument(cmd.InOrStdin(), argument, maxTokenForm+1)
	if err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	body = strings.NewReplacer("\r", "", "\n", "").Replace(body)
	if body != "" && header["Content-Type"] == nil {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return body, nil
}

// readArgument reads @FILE, @- or the text itself. It is not to be printed.
// Of the standard input it reads limit bytes.
func readArgument(stdin io.Reader, argument string, limit int64) (string, error) {
	path, named := strings.CutPrefix(argument, "@")
	if !named {
		return argument, nil
	}
	if path == "-" {
		text, err := io.ReadAll(io.LimitReader(stdin, limit))
		return string(text), err
	}
	text, err := readFile(path)
	return string(text), err
}

func jwksOf(cmd *cobra.Command) (map[string][]byte, error) {
	values, err := cmd.Flags().GetStringArray("jwks")
	if err != nil {
		return nil, err
	}
	given := make(map[string][]byte, len(values))
	for _, value := range values {
		at := strings.LastIndexByte(value, '=')
		if at < 1 {
			return nil, fmt.Errorf("--jwks %q: expected ISSUER=FILE", value)
		}
		if given[value[:at]], err = readFile(value[at+1:]); err != nil {
			return nil, fmt.Errorf("--jwks: %w", err)
		}
	}
	return given, nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("--cert: %w", err)
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("--cert: file %s: expected a certificate in PEM", path)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("--cert: file %s: %w", path, err)
	}
	return certificate, nil
}
