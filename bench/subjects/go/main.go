// The same with Go: net/http, golang-jwt and Paho. It keeps none of the promises either.
package main

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/golang-jwt/jwt"
)

type command struct {
	Imei    string `json:"imei"`
	MicroOp string `json:"micro_op"`
}

type result struct {
	Detail string `json:"detail"`
}

func main() {
	key := readKey()
	broker := strings.Replace(os.Getenv("MQTT_URL"), "mqtt:", "tcp:", 1)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(broker).SetClientID(fmt.Sprintf("go-%d", os.Getpid())))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		log.Fatal(token.Error())
	}

	http.HandleFunc("/messaging/send", func(response http.ResponseWriter, request *http.Request) {
		text := strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer ")
		if _, err := jwt.Parse(text, key); err != nil {
			answer(response, http.StatusUnauthorized, "Unauthorized")
			return
		}
		var body command
		if err := json.NewDecoder(request.Body).Decode(&body); err != nil || body.Imei == "" || body.MicroOp == "" {
			answer(response, http.StatusBadRequest, "Bad Request")
			return
		}
		topic := "devices/" + body.Imei + "/commands"
		if token := client.Publish(topic, 1, false, body.MicroOp); token.Wait() && token.Error() != nil {
			answer(response, http.StatusNotAcceptable, "Somthing went wrong")
			return
		}
		answer(response, http.StatusOK, fmt.Sprintf("Send `%s` to topic `%s`", body.MicroOp, topic))
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

// The key that tokens are verified with, for tokens that are signed as it wants them to be.
func readKey() jwt.Keyfunc {
	var key interface{} = []byte(os.Getenv("JWT_SECRET"))
	if pem := os.Getenv("JWT_PUBLIC_KEY"); pem != "" {
		public, err := jwt.ParseRSAPublicKeyFromPEM([]byte(pem))
		if err != nil {
			log.Fatal(err)
		}
		key = public
	}
	return func(token *jwt.Token) (interface{}, error) {
		_, isRsa := key.(*rsa.PublicKey)
		if isRsa != (token.Method.Alg() == "RS256") || (!isRsa && token.Method.Alg() != "HS256") {
			return nil, fmt.Errorf("signed with %s", token.Method.Alg())
		}
		return key, nil
	}
}

func answer(response http.ResponseWriter, status int, detail string) {
	response.Header().Set("Content-Type", "application/json; charset=utf-8")
	response.WriteHeader(status)
	if err := json.NewEncoder(response).Encode(result{detail}); err != nil {
		log.Print(err)
	}
}
