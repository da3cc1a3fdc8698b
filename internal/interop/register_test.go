package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// registrarScenario is a provider that challenges and verifies, by sipp.
const registrarScenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="registrar">
  <recv request="REGISTER" crlf="true"/>
  <send><![CDATA[
    SIP/2.0 401 Unauthorized
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    WWW-Authenticate: Digest realm="itsp", nonce="47ebe028cda119c35d4877b383027d28", algorithm=MD5
    Content-Length: 0

  ]]></send>
  <recv request="REGISTER">
    <action><verifyauth assign_to="right" username="office" password="%s"/></action>
  </recv>
  <nop hide="true" test="right" next="1"/>
  <send next="2"><![CDATA[
    SIP/2.0 403 Forbidden
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
  <label id="1"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    [last_Contact:]
    Expires: 600
    Content-Length: 0

  ]]></send>
  <label id="2"/>
  <recv request="REGISTER" optional="false" timeout="20000"/>
  <send><![CDATA[
    SIP/2.0 200 OK
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    Content-Length: 0

  ]]></send>
</scenario>
`

// TestSippRegistrar: sipp plays a provider's registrar and verifies our
// credentials. With the right secret we are registered, with a wrong one the
// exchange says what to check.
func TestSippRegistrar(t *testing.T) {
	real(t, "sipp")
	for secret, want := range map[string]string{
		"Marble-9-canyon": "registered",
		"not-that-one-77": "registration refused 403: check user and secret at ",
	} {
		t.Run(secret, func(t *testing.T) {
			dir, port := t.TempDir(), freePort(t)
			scenario := filepath.Join(dir, "registrar.xml")
			if err := os.WriteFile(scenario, []byte(fmt.Sprintf(registrarScenario, "Marble-9-canyon")), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd, _ := startSipp(t, dir, "-sf", scenario, "-i", uasAddress, "-p", strconv.Itoa(port), "-m", "1")
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			x := start(t, twoPhones+fmt.Sprintf(`
[[peer]]
name     = "itsp"
proxy    = "sip:%s:%d"
user     = "office"
secret   = "%s"
register = true
incoming = "101"
`, uasAddress, port, secret))
			type view struct {
				Peers []struct{ State, Problem string }
			}
			var v view
			eventually(t, "the exchange is "+want, 20*time.Second, func() bool {
				return x.ask("/status", &v) == nil && len(v.Peers) == 1 && (v.Peers[0].State == want || strings.HasPrefix(v.Peers[0].Problem, want))
			})
		})
	}
}
